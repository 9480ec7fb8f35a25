import type { RemoteParticipant, Room } from "livekit-client";
import { expect, test } from "vitest";
import { agentState, findAgent, isAgent } from "../src/agent";

function room(...identities: string[]): Pick<Room, "remoteParticipants"> {
  const participants = identities.map((identity) => ({ identity }) as RemoteParticipant);
  return { remoteParticipants: new Map(participants.map((p) => [p.identity, p])) };
}

test("only the agent's identity is the agent", () => {
  expect(isAgent("agent-0198-1")).toBe(true);
  expect(isAgent("caller-agent-1")).toBe(false);
  expect(findAgent(room("caller-1", "recorder"))).toBeUndefined();
});

test("the latest attempt is the agent, by number", () => {
  const agents = room("agent-0198-2", "agent-0198-10", "caller-1", "agent-0198-9");
  expect(findAgent(agents)?.identity).toBe("agent-0198-10");
});

test("an agent that says nothing known is getting ready", () => {
  expect(agentState({ "lk.agent.state": "thinking" })).toBe("thinking");
  expect(agentState({ "lk.agent.state": "dancing" })).toBe("initializing");
  expect(agentState({})).toBe("initializing");
});
