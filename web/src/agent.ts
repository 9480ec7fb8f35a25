import type { RemoteParticipant, Room } from "livekit-client";
import type { AgentState } from "./callState";
import { AGENT_IDENTITY_PREFIX } from "./contract";

const STATE_ATTRIBUTE = "lk.agent.state";
const STATES: readonly AgentState[] = ["initializing", "idle", "listening", "thinking", "speaking"];

export function isAgent(identity: string): boolean {
  return identity.startsWith(AGENT_IDENTITY_PREFIX);
}

/** The number at the end of `agent-<call id>-<attempt>`. */
function attempt(identity: string): number {
  return Number(/-(\d+)$/.exec(identity)?.[1] ?? 0);
}

/** The agent of the latest attempt: one that it replaced may take a moment to leave. */
export function findAgent(room: Pick<Room, "remoteParticipants">): RemoteParticipant | undefined {
  return [...room.remoteParticipants.values()]
    .filter((participant) => isAgent(participant.identity))
    .sort((a, b) => attempt(b.identity) - attempt(a.identity))[0];
}

/** What the agent says that it does; `initializing` until it says something known. */
export function agentState(attributes: Readonly<Record<string, string>>): AgentState {
  return STATES.find((state) => state === attributes[STATE_ATTRIBUTE]) ?? "initializing";
}
