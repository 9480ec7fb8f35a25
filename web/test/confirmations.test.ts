import { expect, test } from "vitest";
import {
  confirmationsReducer,
  type Card,
  type CardState,
  type Cards,
  type ConfirmationEvent,
} from "../src/confirmations";
import { question } from "./questions";

const after = (...events: ConfirmationEvent[]): Cards => events.reduce(confirmationsReducer, []);

const listed = (nowMs: number, ...pending: Card["question"][]): ConfirmationEvent => ({
  type: "listed",
  pending,
  decided: [],
  nowMs,
});

const states = (cards: Cards): CardState[] => cards.map(({ state }) => state);
const ONE = question("one");
const TWO = question("two");

test("what is open is shown in the agent's order, each with its own time", () => {
  const cards = after(listed(1_000, ONE, question("two", { expires_in_ms: 5_000 })));
  expect(cards.map((card) => [card.question.id, card.expiresAtMs])).toEqual([
    ["one", 61_000],
    ["two", 6_000],
  ]);
  expect(states(cards)).toEqual([{ stage: "open" }, { stage: "open" }]);
});

test("the agent's latest word on the time counts", () => {
  const cards = after(listed(0, ONE), listed(10_000, question("one", { expires_in_ms: 20_000 })));
  expect(cards).toMatchObject([{ expiresAtMs: 30_000, state: { stage: "open" } }]);
});

test("an answer is on its way until there is a result", () => {
  const yes: ConfirmationEvent = { type: "answering", id: "one", approved: true };
  expect(states(after(listed(0, ONE), yes))).toEqual([{ stage: "answering", approved: true }]);
  const done: ConfirmationEvent = { type: "settled", id: "one", result: "approved" };
  expect(states(after(listed(0, ONE), yes, done))).toEqual([
    { stage: "settled", result: "approved" },
  ]);
});

test("a second answer changes nothing", () => {
  const no: ConfirmationEvent = { type: "answering", id: "one", approved: false };
  const yes: ConfirmationEvent = { type: "answering", id: "one", approved: true };
  expect(states(after(listed(0, ONE), no, yes))).toEqual([{ stage: "answering", approved: false }]);
});

test("a question that the agent no longer lists was closed elsewhere", () => {
  expect(states(after(listed(0, ONE, TWO), listed(1, TWO)))).toEqual([
    { stage: "settled", result: "closed" },
    { stage: "open" },
  ]);
});

test.each([
  [{ state: "approved", by: "screen" }, "approved"],
  [{ state: "approved", by: "voice" }, "approved-aloud"],
  [{ state: "declined", by: "text" }, "declined-aloud"],
  [{ state: "expired", by: null }, "expired"],
  [{ state: "replaced", by: null }, "replaced"],
  [{ state: "ended", by: null }, "ended"],
] as const)("a question that is no longer listed says that it was %j", (how, result) => {
  const decided: ConfirmationEvent = {
    type: "listed",
    pending: [TWO],
    decided: [
      { id: "another", state: "declined", by: null },
      { id: "one", ...how },
    ],
    nowMs: 1,
  };
  expect(states(after(listed(0, ONE, TWO), decided))).toEqual([
    { stage: "settled", result },
    { stage: "open" },
  ]);
});

test("an answer that is on its way waits for its result, whatever is listed", () => {
  const yes: ConfirmationEvent = { type: "answering", id: "one", approved: true };
  expect(states(after(listed(0, ONE), yes, listed(1)))).toEqual([
    { stage: "answering", approved: true },
  ]);
  expect(states(after(listed(0, ONE), yes, listed(1, ONE)))).toEqual([
    { stage: "answering", approved: true },
  ]);
});

test("a question that is listed again after it seemed closed is open again", () => {
  expect(states(after(listed(0, ONE), listed(1), listed(2, ONE)))).toEqual([{ stage: "open" }]);
  const answered: ConfirmationEvent = { type: "settled", id: "one", result: "declined" };
  expect(states(after(listed(0, ONE), answered, listed(2, ONE)))).toEqual([
    { stage: "settled", result: "declined" },
  ]);
});

test("an answer to what was shown is none to what it was changed to", () => {
  const yes: ConfirmationEvent = { type: "answering", id: "one", approved: true };
  const changed = question("one", { title: "Refund 150 dollars?", digest: "b".repeat(64) });
  expect(after(listed(0, ONE), yes, listed(1, changed))).toMatchObject([
    { question: { title: "Refund 150 dollars?" }, state: { stage: "open" } },
  ]);
});

test("a question runs out by the page's clock, one whose answer is on its way does not", () => {
  const yes: ConfirmationEvent = { type: "answering", id: "two", approved: true };
  const opened = after(listed(0, ONE, TWO), yes);
  const passed = (nowMs: number) => confirmationsReducer(opened, { type: "passed", nowMs });
  expect(passed(59_999)).toBe(opened);
  expect(states(passed(60_000))).toEqual([
    { stage: "settled", result: "expired" },
    { stage: "answering", approved: true },
  ]);
});

test("only what is settled is dismissed", () => {
  const dismiss: ConfirmationEvent = { type: "dismissed", id: "one" };
  expect(after(listed(0, ONE), dismiss)).toHaveLength(1);
  expect(after(listed(0, ONE), listed(1), dismiss)).toEqual([]);
});
