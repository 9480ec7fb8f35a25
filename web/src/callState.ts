import type { CallEnded, RoomState } from "./contract";
import type { MicrophoneProblem } from "./microphone";
import type { TokenFailure } from "./voiceToken";

export type AgentState = "initializing" | "idle" | "listening" | "thinking" | "speaking";

/** How long the caller has been waiting for an agent, for the words on the page. */
export type Patience = "fresh" | "still-waiting" | "no-agent";

export type Ending =
  | { reason: CallEnded["reason"] }
  | { reason: "agent-left" | "no-agent" }
  | { reason: "connection-lost" | "page-left" | "closed" | "taken-over" }
  | { reason: "connect-failed" | "token-expired" }
  | TokenFailure;

/** What is known in the room beside the agent. */
interface Room {
  reconnecting: boolean;
  /** What the servers say about the agent. */
  room: RoomState["state"] | null;
}

export type CallState =
  | { phase: "idle" }
  | { phase: "asking-microphone" }
  | { phase: "microphone-problem"; problem: MicrophoneProblem }
  | { phase: "requesting-call"; returning: boolean }
  | { phase: "queueing"; retryAtMs: number | null; position: number | null }
  | { phase: "connecting"; returning: boolean }
  | ({ phase: "waiting-for-agent"; patience: Patience; agentLeft: boolean } & Room)
  | ({ phase: "in-call"; agentState: AgentState; agentReturned: boolean } & Room)
  | { phase: "hanging-up" }
  | { phase: "ended"; ending: Ending };

export type CallEvent =
  | { type: "called"; withMicrophone: boolean }
  | { type: "returning" }
  | { type: "microphone-opened" }
  | { type: "microphone-failed"; problem: MicrophoneProblem }
  /**
   * All agents are busy; *retryAtMs* by `performance.now()`, null while the page asks again;
   * *position* from 1, null if not known.
   */
  | { type: "queued"; retryAtMs: number | null; position: number | null }
  | { type: "token-received" }
  | { type: "connected" }
  | { type: "room-state"; room: RoomState["state"] }
  | { type: "agent-seen"; agentState: AgentState }
  | { type: "agent-gone" }
  | { type: "agent-settled" }
  | { type: "waited"; patience: Patience }
  | { type: "reconnecting" }
  | { type: "reconnected" }
  | { type: "hanging-up" }
  | { type: "ended"; ending: Ending }
  | { type: "left" };

export const IDLE: CallState = { phase: "idle" };

/** The next state. An event that does not fit the state changes nothing. */
export function callReducer(state: CallState, event: CallEvent): CallState {
  switch (event.type) {
    case "called":
      if (state.phase !== "idle") return state;
      return event.withMicrophone
        ? { phase: "asking-microphone" }
        : { phase: "requesting-call", returning: false };
    case "returning":
      return state.phase === "idle" ? { phase: "requesting-call", returning: true } : state;
    case "microphone-opened":
      return state.phase === "asking-microphone"
        ? { phase: "requesting-call", returning: false }
        : state;
    case "microphone-failed":
      return state.phase === "asking-microphone" || state.phase === "requesting-call"
        ? { phase: "microphone-problem", problem: event.problem }
        : state;
    case "queued":
      return state.phase === "requesting-call" || state.phase === "queueing"
        ? { phase: "queueing", retryAtMs: event.retryAtMs, position: event.position }
        : state;
    case "token-received":
      if (state.phase === "queueing") return { phase: "connecting", returning: false };
      return state.phase === "requesting-call" ? { ...state, phase: "connecting" } : state;
    case "connected":
      return state.phase === "connecting"
        ? waiting({ agentLeft: false, reconnecting: false, room: null })
        : state;
    case "room-state":
      return inRoom(state) ? { ...state, room: event.room } : state;
    case "agent-seen":
      return inRoom(state) ? present(state, event.agentState) : state;
    case "agent-gone":
      return state.phase === "in-call" ? waiting({ ...state, agentLeft: true }) : state;
    case "agent-settled":
      return state.phase === "in-call" ? { ...state, agentReturned: false } : state;
    case "waited":
      return state.phase === "waiting-for-agent" ? { ...state, patience: event.patience } : state;
    case "reconnecting":
      return inRoom(state) ? { ...state, reconnecting: true } : state;
    case "reconnected":
      return inRoom(state) ? { ...state, reconnecting: false } : state;
    case "hanging-up":
      return inRoom(state) ? { phase: "hanging-up" } : state;
    case "ended":
      return state.phase === "idle" || state.phase === "ended"
        ? state
        : { phase: "ended", ending: event.ending };
    case "left":
      return IDLE;
  }
}

type InRoom = Extract<CallState, { phase: "waiting-for-agent" | "in-call" }>;

/** Whether the caller is in the room and may speak, write and hang up. */
export function inRoom(state: CallState): state is InRoom {
  return state.phase === "waiting-for-agent" || state.phase === "in-call";
}

function waiting({ agentLeft, reconnecting, room }: Room & { agentLeft: boolean }): CallState {
  return { phase: "waiting-for-agent", patience: "fresh", agentLeft, reconnecting, room };
}

function present(state: InRoom, agentState: AgentState): CallState {
  const { reconnecting, room } = state;
  const agentReturned = state.phase === "in-call" ? state.agentReturned : state.agentLeft;
  return { phase: "in-call", agentState, agentReturned, reconnecting, room };
}

const MAY_COME_BACK: readonly Ending["reason"][] = [
  "connection-lost",
  "page-left",
  "connect-failed",
  "token-expired",
  "network",
  "slow",
  "unexpected",
  "rate-limited",
  "record-unavailable",
  "service-busy",
  "sfu-unavailable",
  "sign-in-required",
  "sign-in-unavailable",
];

/** Whether a call that ended so on this page may be going on elsewhere. */
export function mayComeBack({ reason }: Ending): boolean {
  return MAY_COME_BACK.includes(reason);
}

const FOLLOWED: readonly Ending["reason"][] = [
  "caller",
  "agent",
  "silence",
  "not-understood",
  "flood",
  "agent-left",
  "no-agent",
  "closed",
  "call-ended",
];

/** Whether there is work after a call that ended so. */
export function isFollowed({ reason }: Ending): boolean {
  return FOLLOWED.includes(reason);
}
