import type { CallEnded } from "./contract";
import type { MicrophoneProblem } from "./microphone";
import type { TokenFailure } from "./voiceToken";

export type AgentState = "initializing" | "idle" | "listening" | "thinking" | "speaking";

/** How long the caller has been waiting for an agent, as the page puts it in words. */
export type Patience = "fresh" | "still-waiting" | "no-agent";

export type Ending =
  | { reason: CallEnded["reason"] }
  | { reason: "agent-left" | "no-agent" }
  | { reason: "connection-lost" | "closed" | "taken-over" }
  | { reason: "connect-failed" | "place-expired" }
  | TokenFailure;

export type CallState =
  | { phase: "idle" }
  | { phase: "asking-microphone" }
  | { phase: "microphone-problem"; problem: MicrophoneProblem }
  | { phase: "getting-place" }
  | { phase: "connecting" }
  | { phase: "waiting-for-agent"; patience: Patience; agentLeft: boolean; reconnecting: boolean }
  | { phase: "in-call"; agentState: AgentState; reconnecting: boolean }
  | { phase: "hanging-up" }
  | { phase: "ended"; ending: Ending };

export type CallEvent =
  | { type: "called"; withMicrophone: boolean }
  | { type: "microphone-opened" }
  | { type: "microphone-failed"; problem: MicrophoneProblem }
  | { type: "place-given" }
  | { type: "connected" }
  | { type: "agent-seen"; agentState: AgentState }
  | { type: "agent-gone" }
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
      return state.phase === "idle"
        ? { phase: event.withMicrophone ? "asking-microphone" : "getting-place" }
        : state;
    case "microphone-opened":
      return state.phase === "asking-microphone" ? { phase: "getting-place" } : state;
    case "microphone-failed":
      return state.phase === "asking-microphone" || state.phase === "getting-place"
        ? { phase: "microphone-problem", problem: event.problem }
        : state;
    case "place-given":
      return state.phase === "getting-place" ? { phase: "connecting" } : state;
    case "connected":
      return state.phase === "connecting" ? waiting({ agentLeft: false }) : state;
    case "agent-seen":
      return inRoom(state)
        ? { phase: "in-call", agentState: event.agentState, reconnecting: state.reconnecting }
        : state;
    case "agent-gone":
      return state.phase === "in-call" ? waiting({ agentLeft: true }) : state;
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

function waiting({ agentLeft }: { agentLeft: boolean }): CallState {
  return { phase: "waiting-for-agent", patience: "fresh", agentLeft, reconnecting: false };
}
