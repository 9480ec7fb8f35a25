import { expect, test } from "vitest";
import { callReducer, IDLE, mayComeBack, type CallEvent, type CallState } from "../src/callState";

const after = (...events: CallEvent[]): CallState => events.reduce(callReducer, IDLE);

const CALLED: CallEvent = { type: "called", withMicrophone: true };
const OPENED: CallEvent = { type: "microphone-opened" };
const TOKEN: CallEvent = { type: "token-received" };
const CONNECTED: CallEvent = { type: "connected" };
const LISTENING: CallEvent = { type: "agent-seen", agentState: "listening" };
const GONE: CallEvent = { type: "agent-gone" };
const TO_ROOM = [CALLED, OPENED, TOKEN, CONNECTED];

test("a call asks for the microphone before it asks for a token", () => {
  expect(after(CALLED).phase).toBe("asking-microphone");
  expect(after(CALLED, TOKEN).phase).toBe("asking-microphone");
  expect(after(CALLED, OPENED).phase).toBe("requesting-call");
});

test("a call by text asks for a token right away", () => {
  expect(after({ type: "called", withMicrophone: false }).phase).toBe("requesting-call");
});

test("a refused microphone stops the call and keeps the reason", () => {
  expect(after(CALLED, { type: "microphone-failed", problem: "refused" })).toEqual({
    phase: "microphone-problem",
    problem: "refused",
  });
});

test("the steps to the agent follow each other", () => {
  expect(after(CALLED, OPENED, TOKEN).phase).toBe("connecting");
  expect(after(...TO_ROOM)).toEqual({
    phase: "waiting-for-agent",
    patience: "fresh",
    agentLeft: false,
    reconnecting: false,
    room: null,
  });
  expect(after(...TO_ROOM, LISTENING)).toEqual({
    phase: "in-call",
    agentState: "listening",
    agentReturned: false,
    reconnecting: false,
    room: null,
  });
});

test("waiting runs out of patience only while it waits", () => {
  const impatient: CallEvent = { type: "waited", patience: "no-agent" };
  expect(after(...TO_ROOM, impatient)).toMatchObject({ patience: "no-agent" });
  expect(after(...TO_ROOM, LISTENING, impatient).phase).toBe("in-call");
});

test("an agent that leaves is waited for again, and may come back", () => {
  const waiting = after(...TO_ROOM, { type: "waited", patience: "no-agent" }, LISTENING, GONE);
  expect(waiting).toMatchObject({ patience: "fresh", agentLeft: true });
  expect(callReducer(waiting, LISTENING).phase).toBe("in-call");
});

test("an agent that comes back is said to be back, for a while", () => {
  const back = after(...TO_ROOM, LISTENING, GONE, LISTENING);
  expect(back).toMatchObject({ phase: "in-call", agentReturned: true });
  expect(callReducer(back, LISTENING)).toMatchObject({ agentReturned: true });
  expect(callReducer(back, { type: "agent-settled" })).toMatchObject({ agentReturned: false });
});

test("what the servers say of the agent is kept while agents come and go", () => {
  const recovering: CallEvent = { type: "room-state", room: "recovering" };
  const waiting = after(...TO_ROOM, LISTENING, recovering, GONE);
  expect(waiting).toMatchObject({ phase: "waiting-for-agent", room: "recovering" });
  const live = callReducer(waiting, { type: "room-state", room: "live" });
  expect(callReducer(live, LISTENING)).toMatchObject({ phase: "in-call", room: "live" });
});

test("a return asks for the token right away", () => {
  const returning: CallEvent = { type: "returning" };
  expect(after(returning)).toEqual({ phase: "requesting-call", returning: true });
  expect(after(returning, TOKEN)).toEqual({ phase: "connecting", returning: true });
  expect(after(returning, TOKEN, CONNECTED).phase).toBe("waiting-for-agent");
});

test("the queue continues until there is a token", () => {
  const queued = (retryAtMs: number | null): CallEvent => ({
    type: "queued",
    retryAtMs,
    position: 3,
  });
  const waiting = after(CALLED, OPENED, queued(5), queued(null), queued(9));
  expect(waiting).toEqual({ phase: "queueing", retryAtMs: 9, position: 3 });
  expect(callReducer(waiting, TOKEN)).toEqual({ phase: "connecting", returning: false });
});

test("a call that was lost may be come back to, one that has ended may not", () => {
  expect(mayComeBack({ reason: "connection-lost" })).toBe(true);
  expect(mayComeBack({ reason: "connect-failed" })).toBe(true);
  expect(mayComeBack({ reason: "call-ended", detail: "", retryAfterMs: null })).toBe(false);
  expect(mayComeBack({ reason: "caller" })).toBe(false);
  expect(mayComeBack({ reason: "taken-over" })).toBe(false);
});

test("no agent yet is no agent that left", () => {
  expect(after(...TO_ROOM, GONE)).toMatchObject({ agentLeft: false });
});

test("reconnecting is remembered while the agent's state changes", () => {
  const interrupted = after(...TO_ROOM, LISTENING, { type: "reconnecting" });
  expect(interrupted).toMatchObject({ phase: "in-call", reconnecting: true });
  const speaking = callReducer(interrupted, { type: "agent-seen", agentState: "speaking" });
  expect(speaking).toMatchObject({ agentState: "speaking", reconnecting: true });
  expect(callReducer(speaking, { type: "reconnected" })).toMatchObject({ reconnecting: false });
});

test("the first ending stays", () => {
  const ended = after(
    ...TO_ROOM,
    { type: "hanging-up" },
    {
      type: "ended",
      ending: { reason: "caller" },
    },
  );
  expect(ended).toEqual({ phase: "ended", ending: { reason: "caller" } });
  const late: CallEvent = { type: "ended", ending: { reason: "connection-lost" } };
  expect(callReducer(ended, late)).toBe(ended);
});

test("hanging up ignores what the room still says", () => {
  const hangingUp = after(...TO_ROOM, LISTENING, { type: "hanging-up" });
  expect([GONE, LISTENING, CONNECTED].reduce(callReducer, hangingUp)).toBe(hangingUp);
});

test("leaving goes back to the start from anywhere", () => {
  expect(after(...TO_ROOM, LISTENING, { type: "left" })).toBe(IDLE);
});
