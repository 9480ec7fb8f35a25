import type { RemoteParticipant, Room } from "livekit-client";
import type { AgentState } from "./callState";
import { AGENT_IDENTITY_PREFIX, type RoomState } from "./contract";
import { isA } from "./messages";

const STATE_ATTRIBUTE = "lk.agent.state";
const STATES: readonly AgentState[] = ["initializing", "idle", "listening", "thinking", "speaking"];

type Seen = Pick<Room, "remoteParticipants" | "metadata">;

export function isAgent(identity: string): boolean {
  return identity.startsWith(AGENT_IDENTITY_PREFIX);
}

/** The number at the end of `agent-<call id>-<attempt>`; 0 for everyone else. */
function attempt(identity: string): number {
  return isAgent(identity) ? Number(/-(\d+)$/.exec(identity)?.[1] ?? 0) : 0;
}

/** What the room's metadata say, if they are what the contract calls a RoomState. */
export function roomState({ metadata }: Pick<Room, "metadata">): RoomState | null {
  try {
    const value: unknown = JSON.parse(metadata ?? "");
    return isA("RoomState", value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * The agent of the latest attempt, and of none before the one that the room's metadata name: one
 * that is replaced may take a moment to leave, or to notice.
 */
export function findAgent(room: Seen): RemoteParticipant | undefined {
  const least = roomState(room)?.attempt ?? 0;
  return [...room.remoteParticipants.values()]
    .filter(({ identity }) => isAgent(identity) && attempt(identity) >= least)
    .sort((a, b) => attempt(b.identity) - attempt(a.identity))[0];
}

/** Whether to believe what *identity* sends: data may be here before its sender is known. */
export function isCurrentAgent(room: Seen, identity: string): boolean {
  const agent = findAgent(room);
  const least = agent ? attempt(agent.identity) : (roomState(room)?.attempt ?? 0);
  return isAgent(identity) && attempt(identity) >= least;
}

/** What the agent says that it does; `initializing` until it says something known. */
export function agentState(attributes: Readonly<Record<string, string>>): AgentState {
  return STATES.find((state) => state === attributes[STATE_ATTRIBUTE]) ?? "initializing";
}

/** The agent's answer to a request. Throws when it is not here, leaves, or does not answer. */
export async function askAgent(room: Room, method: string, payload: string): Promise<string> {
  const agent = findAgent(room);
  if (!agent) throw new Error("no agent is here");
  const destinationIdentity = agent.identity;
  return room.localParticipant.performRpc({ destinationIdentity, method, payload });
}
