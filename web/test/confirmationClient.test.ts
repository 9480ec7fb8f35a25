import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ConfirmationClient } from "../src/confirmationClient";
import type { ConfirmationEvent } from "../src/confirmations";
import { CONFIRM_METHOD, CONFIRMATIONS_METHOD } from "../src/contract";
import { question } from "./questions";

const abort = { current: new AbortController() };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { visibilityState: "visible" });
  vi.spyOn(console, "debug").mockReturnValue();
  abort.current = new AbortController();
});

afterEach(() => {
  abort.current.abort();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A client whose agent answers with *replies* in turn, and repeats the last one. */
function clientOf(...replies: (string | Error | Promise<string>)[]) {
  const asked: [method: string, payload: string][] = [];
  const events: ConfirmationEvent[] = [];
  const made = new ConfirmationClient(
    async (method, payload) => {
      asked.push([method, payload]);
      const reply = await (replies.length > 1 ? replies.shift() : replies[0]);
      if (typeof reply !== "string") throw reply ?? new Error("nobody is here");
      return reply;
    },
    (event) => events.push(event),
    abort.current.signal,
  );
  return { client: made, asked, events };
}

const list = (...pending: ReturnType<typeof question>[]) =>
  JSON.stringify({ type: "confirmations", pending, decided: [] });
const shows = (...ids: string[]) => JSON.stringify({ shown: ids });
const never = new Promise<string>(() => undefined);

test("the page asks until an agent tells what is open", async () => {
  const {
    client: made,
    asked,
    events,
  } = clientOf(new Error("not registered yet"), list(question("one")));
  void made.open();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toEqual([
    [CONFIRMATIONS_METHOD, shows()],
    [CONFIRMATIONS_METHOD, shows()],
    [CONFIRMATIONS_METHOD, shows("one")],
  ]);
  expect(events).toMatchObject(Array(2).fill({ type: "listed", pending: [{ id: "one" }] }));
});

test("an agent that knows no questions is asked a few times", async () => {
  const { client: made, asked, events } = clientOf(new Error("no such method"));
  void made.open();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(5);
  expect(events).toEqual([]);
});

test("what is open is asked for again and again, and nothing when nothing is open", async () => {
  const { client: made, asked } = clientOf(list(question("one")), list());
  made.list({ type: "confirmations", pending: [question("one")], decided: [] });
  await vi.advanceTimersByTimeAsync(6_000);
  expect(asked).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(2);
});

test("an agent that says that it was asked too often is asked later, and nothing changes", async () => {
  const tooMany = Object.assign(new Error("Too many requests. Slow down."), { code: 1429 });
  const { client: made, asked, events } = clientOf(tooMany, list(question("one")));
  made.list({ type: "confirmations", pending: [question("one")], decided: [] });
  await vi.advanceTimersByTimeAsync(100);
  expect(asked).toHaveLength(1);
  expect(events.filter(({ type }) => type !== "passed")).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(asked).toHaveLength(2);
  expect(events.filter(({ type }) => type === "listed")).toHaveLength(2);
});

test("the agent is told at once which cards are shown, and no card that nobody sees", async () => {
  const { client: made, asked } = clientOf(list(question("one"), question("two")));
  made.list({ type: "confirmations", pending: [question("one")], decided: [] });
  await vi.advanceTimersByTimeAsync(100);
  expect(asked.map(([, payload]) => payload)).toEqual([shows("one"), shows("one", "two")]);
  vi.stubGlobal("document", { visibilityState: "hidden" });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(asked.at(-1)).toEqual([CONFIRMATIONS_METHOD, shows()]);
});

test("a reply that a later message overtook says nothing", async () => {
  let reply: (text: string) => void = () => undefined;
  const { client: made, events } = clientOf(new Promise((resolve) => (reply = resolve)), never);
  void made.open();
  made.list({ type: "confirmations", pending: [question("two")], decided: [] });
  reply(list());
  await vi.advanceTimersByTimeAsync(0);
  expect(events.filter(({ type }) => type === "listed")).toHaveLength(1);
});

test.each(["", "{}", '{"type":"confirmations","pending":[{}]}', '{"type":"call-ended"}'])(
  "the reply %j opens nothing",
  async (reply) => {
    const { client: made, events } = clientOf(reply);
    void made.open();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(events).toEqual([]);
  },
);

test("an answer is sent until there is a result, always the same", async () => {
  const {
    client: made,
    asked,
    events,
  } = clientOf(new Error("reconnecting"), never, '{"state":"maybe"}', '{"state":"approved"}');
  void made.answer(question("one"), true);
  await vi.advanceTimersByTimeAsync(6_000);
  const vote = JSON.stringify({ id: "one", digest: "a".repeat(64), approved: true });
  expect(asked).toEqual(Array(4).fill([CONFIRM_METHOD, vote]));
  expect(events).toEqual([
    { type: "answering", id: "one", approved: true },
    { type: "settled", id: "one", result: "approved" },
  ]);
});

test("a question that was changed meanwhile is asked again", async () => {
  const changed = question("one", { digest: "b".repeat(64) });
  const { client: made, events } = clientOf('{"state":"changed"}', list(changed));
  void made.answer(question("one"), true);
  await vi.advanceTimersByTimeAsync(0);
  expect(events.slice(1, 3)).toMatchObject([
    { type: "settled", result: "changed" },
    { type: "listed", pending: [{ digest: "b".repeat(64) }] },
  ]);
});

test("an answer that nobody takes is said to be unanswered", async () => {
  const { client: made, events } = clientOf(new Error("nobody"));
  void made.answer(question("one"), false);
  await vi.advanceTimersByTimeAsync(31_000);
  expect(events.at(-1)).toEqual({ type: "settled", id: "one", result: "unanswered" });
});

test("a call that is over asks nothing more", async () => {
  const { client: made, asked } = clientOf(new Error("nobody"));
  made.list({ type: "confirmations", pending: [question("one")], decided: [] });
  const before = asked.length;
  abort.current.abort();
  void made.open();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(before);
});
