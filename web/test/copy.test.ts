import { expect, test } from "vitest";
import type { CallState, Patience } from "../src/callState";
import { explain, statusOf, turnOf } from "../src/copy";

const waiting = { phase: "waiting-for-agent", reconnecting: false, agentLeft: true } as const;
const inCall = { phase: "in-call", agentState: "listening", agentReturned: false } as const;
const PATIENCE: Patience[] = ["fresh", "still-waiting", "no-agent"];

const WAITS: CallState[] = [
  { phase: "asking-microphone" },
  { phase: "requesting-call", returning: false },
  { phase: "requesting-call", returning: true },
  { phase: "queueing", retryAtMs: 1, position: 2 },
  { phase: "connecting", returning: false },
  { phase: "connecting", returning: true },
  ...PATIENCE.flatMap((patience): CallState[] => [
    { ...waiting, patience, agentLeft: false, room: null },
    { ...waiting, patience, room: "live" },
    { ...waiting, patience, room: "recovering" },
    { ...waiting, patience, room: "no-agent" },
  ]),
  { ...inCall, room: null, reconnecting: true },
  { ...inCall, room: null, reconnecting: false },
  { ...inCall, room: "ending", reconnecting: false },
  { ...inCall, room: "live", agentReturned: true, reconnecting: false },
  { phase: "hanging-up" },
];

test("every wait has words of its own", () => {
  const words = WAITS.map(statusOf);
  expect(words).not.toContain("");
  expect(new Set(words).size).toBe(WAITS.length);
});

test("what the servers say comes before what the page can see", () => {
  const first = { ...waiting, agentLeft: false, patience: "fresh" } as const;
  expect(statusOf({ ...first, room: "connecting" })).toMatch(/^Waiting for/);
  expect(statusOf({ ...first, room: "recovering" })).toBe("One moment, reconnecting you…");
  expect(statusOf({ ...first, room: "ending" })).toMatch(/ending/);
});

test("a call that ended because of a flood says what happened and what to do", () => {
  const { title, text, calm } = explain({ reason: "flood" });
  expect(title).toBe("The call was ended");
  expect(text).toMatch(/far more than one person.*call again/);
  expect(calm).toBe(false);
});

test("a caller in the queue is told its turn, where that is known", () => {
  expect([1, 2, 12, null].map(turnOf)).toEqual([
    "You are next.",
    "You are number 2 in the queue.",
    "You are number 12 in the queue.",
    "",
  ]);
});
