import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClientActions } from "../src/clientActions";
import type { Action, ActionEvent } from "../src/storefront/actions";
import { config } from "../src/config";
import { ACTION_OUTCOME_METHOD, type ActionReport, type ClientAction } from "../src/contract";

const NAVIGATE = { action: "navigate", to: "orders" } satisfies Action;
const START_OVER = { action: "start_over" } satisfies Action;
const abort = { current: new AbortController() };

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, "debug").mockReturnValue();
  abort.current = new AbortController();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A desk and what it reported; the agent takes no report before *deafUntil* of them. */
function desk(deafUntil = 0) {
  const reports: ActionReport[] = [];
  const events: ActionEvent[] = [];
  let tries = 0;
  const made = new ClientActions(
    async (method, payload) => {
      expect(method).toBe(ACTION_OUTCOME_METHOD);
      tries += 1;
      if (tries <= deafUntil) throw new Error("away");
      reports.push(JSON.parse(payload) as ActionReport);
      return "";
    },
    (event) => events.push(event),
    abort.current.signal,
  );
  const suggest = (id: string, action: ClientAction["action"]) =>
    made.suggest({ type: "client-action", id, action });
  return { desk: made, suggest, reports, events };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

test("what the list says to do is done and reported", async () => {
  const { suggest, reports, events } = desk();
  suggest("a1", NAVIGATE);
  await settle();
  expect(events).toMatchObject([{ type: "done", request: { id: "a1" } }]);
  expect(reports).toEqual([{ id: "a1", outcome: "done", detail: "" }]);
});

test("what the list says to ask for is done after a yes alone", async () => {
  const { desk: made, suggest, reports, events } = desk();
  suggest("a1", START_OVER);
  await settle();
  expect(events.map(({ type }) => type)).toEqual(["asked"]);
  expect(reports).toEqual([]);
  made.answer("a1", true);
  made.answer("a1", true);
  await settle();
  expect(events.map(({ type }) => type)).toEqual(["asked", "answered", "done"]);
  expect(reports).toEqual([{ id: "a1", outcome: "done", detail: "" }]);
});

test("a no, and no answer within a minute, decline", async () => {
  const { desk: made, suggest, reports, events } = desk();
  suggest("a1", START_OVER);
  made.answer("a1", false);
  suggest("a2", START_OVER);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(events.some(({ type }) => type === "done")).toBe(false);
  expect(reports.map(({ id, outcome }) => [id, outcome])).toEqual([
    ["a1", "declined"],
    ["a2", "declined"],
  ]);
});

test("the same action again is done once, and reported again", async () => {
  const { suggest, reports, events } = desk();
  suggest("a1", NAVIGATE);
  suggest("a1", NAVIGATE);
  await settle();
  expect(events).toHaveLength(1);
  expect(reports.map(({ outcome }) => outcome)).toEqual(["done", "done"]);
});

test("what is not on the list, wrong, or unknown is refused and changes nothing", async () => {
  const actions: Partial<typeof config.actions> = config.actions;
  const { navigate } = config.actions;
  delete actions.navigate;
  // The desk reads the list itself, not a copy.
  const { suggest, reports, events } = desk();
  suggest("a1", NAVIGATE);
  Object.assign(actions, { navigate });
  suggest("a2", { action: "fill_form", form: "appointment", day: "soon", time: "", kind: "" });
  suggest("a3", { action: "eval", code: "1" });
  suggest("a4", { action: "navigate", to: "//x" });
  suggest("a5", { action: "start_over", html: "<b>" });
  await settle();
  expect(events).toEqual([]);
  expect(reports.map(({ id, outcome }) => [id, outcome])).toEqual(
    ["a1", "a2", "a3", "a4", "a5"].map((id) => [id, "refused"]),
  );
});

test("more questions than a person can answer are refused", async () => {
  const { suggest, reports } = desk();
  for (const id of ["a1", "a2", "a3", "a4", "a5"]) suggest(id, START_OVER);
  await settle();
  expect(reports).toEqual([
    { id: "a5", outcome: "refused", detail: "too many suggestions are waiting" },
  ]);
});

test("what breaks is reported as failed", async () => {
  const { desk: made, suggest, reports } = desk();
  suggest("a1", { action: "offer_download", filename: "order-7.txt", text: "Order 7" });
  // There is no document here.
  made.answer("a1", true);
  await settle();
  expect(reports).toMatchObject([{ id: "a1", outcome: "failed" }]);
  expect(reports[0]?.detail).toMatch(/document/);
});

test("a report is sent again until it is taken, a few times", async () => {
  const { suggest, reports } = desk(2);
  suggest("a1", NAVIGATE);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(reports).toEqual([{ id: "a1", outcome: "done", detail: "" }]);
});
