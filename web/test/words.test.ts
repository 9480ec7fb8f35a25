import { expect, test } from "vitest";
import type { CallState } from "../src/callState";
import { statusOf } from "../src/words";

const waiting = { phase: "waiting-for-agent", reconnecting: false } as const;

const WAITS: CallState[] = [
  { phase: "asking-microphone" },
  { phase: "getting-place" },
  { phase: "connecting" },
  { ...waiting, patience: "fresh", agentLeft: false },
  { ...waiting, patience: "still-waiting", agentLeft: false },
  { ...waiting, patience: "no-agent", agentLeft: false },
  { ...waiting, patience: "fresh", agentLeft: true },
  { ...waiting, patience: "still-waiting", agentLeft: true },
  { ...waiting, patience: "no-agent", agentLeft: true },
  { phase: "in-call", agentState: "listening", reconnecting: true },
  { phase: "in-call", agentState: "listening", reconnecting: false },
  { phase: "hanging-up" },
];

test("every wait has words of its own", () => {
  const words = WAITS.map(statusOf);
  expect(words).not.toContain("");
  expect(new Set(words).size).toBe(WAITS.length);
});
