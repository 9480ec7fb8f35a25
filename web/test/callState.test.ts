import { expect, test } from "vitest";
import { callReducer, IDLE, type CallEvent, type CallState } from "../src/callState";

const after = (...events: CallEvent[]): CallState => events.reduce(callReducer, IDLE);

const CALLED: CallEvent = { type: "called", withMicrophone: true };
const OPENED: CallEvent = { type: "microphone-opened" };
const PLACE: CallEvent = { type: "place-given" };
const CONNECTED: CallEvent = { type: "connected" };
const LISTENING: CallEvent = { type: "agent-seen", agentState: "listening" };
const GONE: CallEvent = { type: "agent-gone" };
const TO_ROOM = [CALLED, OPENED, PLACE, CONNECTED];

test("a call asks for the microphone before it asks for a place", () => {
  expect(after(CALLED).phase).toBe("asking-microphone");
  expect(after(CALLED, PLACE).phase).toBe("asking-microphone");
  expect(after(CALLED, OPENED).phase).toBe("getting-place");
});

test("a call by text asks for a place at once", () => {
  expect(after({ type: "called", withMicrophone: false }).phase).toBe("getting-place");
});

test("a refused microphone stops the call and keeps the reason", () => {
  expect(after(CALLED, { type: "microphone-failed", problem: "refused" })).toEqual({
    phase: "microphone-problem",
    problem: "refused",
  });
});

test("the steps to the agent follow each other", () => {
  expect(after(CALLED, OPENED, PLACE).phase).toBe("connecting");
  expect(after(...TO_ROOM)).toEqual({
    phase: "waiting-for-agent",
    patience: "fresh",
    agentLeft: false,
    reconnecting: false,
  });
  expect(after(...TO_ROOM, LISTENING)).toEqual({
    phase: "in-call",
    agentState: "listening",
    reconnecting: false,
  });
});

test("waiting runs out of patience only while it waits", () => {
  const impatient: CallEvent = { type: "waited", patience: "no-agent" };
  expect(after(...TO_ROOM, impatient)).toMatchObject({ patience: "no-agent" });
  expect(after(...TO_ROOM, LISTENING, impatient).phase).toBe("in-call");
});

test("an agent that leaves is waited for anew, and may come back", () => {
  const waiting = after(...TO_ROOM, { type: "waited", patience: "no-agent" }, LISTENING, GONE);
  expect(waiting).toMatchObject({ patience: "fresh", agentLeft: true });
  expect(callReducer(waiting, LISTENING).phase).toBe("in-call");
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
  const ended = after(...TO_ROOM, { type: "hanging-up" }, {
    type: "ended",
    ending: { reason: "caller" },
  });
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
