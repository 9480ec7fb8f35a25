import { afterEach, expect, test, vi } from "vitest";
import {
  actionsReducer,
  NOTHING_DONE,
  objection,
  request,
  type Action,
  type ActionEvent,
  type ActionsState,
} from "../src/storefront/actions";

afterEach(() => void vi.useRealTimers());

const after = (...events: ActionEvent[]): ActionsState =>
  events.reduce(actionsReducer, NOTHING_DONE);

const done = (action: Action): ActionEvent => ({
  type: "done",
  request: { type: "client-action", id: "a1", action },
});

const order = (number: number, status = "shipped"): Action => ({
  action: "show_order",
  number,
  status,
  items: [{ name: "Winter gloves", quantity: 1 }],
  total: "$12.50",
  expected_on: null,
});
const fill = (changes: object = {}): Action => ({
  action: "fill_form",
  form: "appointment",
  day: "2026-11-27",
  time: "15:00",
  kind: "fitting",
  ...changes,
});
const go = (to: "conversation" | "orders" | "appointment"): Action => ({ action: "navigate", to });

const numbers = ({ board }: ActionsState) => board.orders.map(({ number }) => number);

test("orders are shown latest first, each once, twenty at most", () => {
  const state = after(done(order(7)), done(order(8)), done(order(7, "delivered")));
  expect(numbers(state)).toEqual([7, 8]);
  expect(state.board.orders[0]?.status).toBe("delivered");
  const many = Array.from({ length: 25 }, (_, index) => done(order(index + 1)));
  expect(numbers(after(...many))).toHaveLength(20);
});

test("an order is news beside the conversation until it is looked at", () => {
  const state = after(done(order(7)));
  expect(state.board).toMatchObject({ part: "conversation", beside: "orders", news: ["orders"] });
  const seen = actionsReducer(state, { type: "opened", part: "orders" });
  expect(seen.board).toMatchObject({ part: "orders", news: [] });
});

test("a person who is in another part is not taken away from it by news", () => {
  const state = after({ type: "opened", part: "appointment" }, done(order(7)));
  expect(state.board).toMatchObject({ part: "appointment", beside: "appointment" });
});

test("navigating opens the part, and closes what was beside the conversation", () => {
  expect(after(done(go("orders"))).board).toMatchObject({ part: "orders", beside: "orders" });
  expect(after(done(order(7)), done(go("conversation"))).board.beside).toBeNull();
});

test("what the agent does not say of the form is kept", () => {
  const mine = { kind: "repair", day: "2026-11-26", time: "" } as const;
  const state = after({ type: "edited", appointment: mine }, done(fill({ day: "", kind: "" })));
  expect(state.board.appointment).toEqual({ ...mine, time: "15:00" });
});

test("the last action can be undone, and only that", () => {
  const state = after(done(order(7)), done(go("orders")));
  const undone = actionsReducer(state, { type: "undone" });
  expect(undone.board).toMatchObject({ part: "conversation" });
  expect(numbers(undone)).toEqual([7]);
  expect(actionsReducer(undone, { type: "undone" })).toBe(undone);
});

test("starting over clears orders and form, and can be undone", () => {
  const filled = after(done(order(7)), done(fill()));
  const cleared = actionsReducer(filled, done({ action: "start_over" }));
  expect(numbers(cleared)).toEqual([]);
  expect(cleared.board.appointment).toEqual({ kind: "", day: "", time: "" });
  expect(actionsReducer(cleared, { type: "undone" }).board).toEqual(filled.board);
});

test("a call that is interrupted asks nothing more, and keeps what is there", () => {
  const asked: ActionEvent = {
    type: "asked",
    request: { type: "client-action", id: "a2", action: { action: "start_over" } },
  };
  const state = after(done(order(7)), asked, { type: "interrupted" });
  expect(state.asked).toEqual([]);
  expect(numbers(state)).toEqual([7]);
});

test("what the person did since is not undone", () => {
  const mine = { kind: "repair", day: "", time: "" } as const;
  const state = after(done(fill()), { type: "edited", appointment: mine }, { type: "undone" });
  expect(state.board.appointment).toEqual(mine);
});

test.each([
  [fill({ day: "Friday" }), true],
  [fill({ day: "2026-02-30" }), true],
  [fill({ day: "2026-1-3" }), true],
  [fill({ time: "3 PM" }), true],
  [fill({ time: "25:00" }), true],
  [fill(), false],
  [fill({ day: "", time: "" }), false],
  [go("orders"), false],
])("%j is objected to: %s", (action, expected) => {
  expect(objection(action) !== null).toBe(expected);
});

test("the form asks as a person does, when all of it is there", () => {
  vi.useFakeTimers({ now: new Date("2026-11-25T23:30:00") });
  const on = (day: string) => request({ kind: "fitting", day, time: "15:00" });
  expect(on("2026-11-27")).toBe("Book a fitting on Friday at 15:00");
  // "On Wednesday", said on a Wednesday, is the next one.
  expect(on("2026-12-02")).toBe("Book a fitting on Wednesday at 15:00");
  expect(on("2026-11-25")).toBe("Book a fitting on 2026-11-25 at 15:00");
  expect(on("2026-12-03")).toBe("Book a fitting on 2026-12-03 at 15:00");
  expect(request({ kind: "", day: "2026-11-27", time: "15:00" })).toBeNull();
  expect(request({ kind: "repair", day: "", time: "15:00" })).toBeNull();
});
