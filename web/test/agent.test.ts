import type { RemoteParticipant, Room } from "livekit-client";
import { expect, test } from "vitest";
import { agentState, findAgent, isAgent, isCurrentAgent, roomState } from "../src/agent";

function room(identities: string[], metadata?: string) {
  const participants = identities.map((identity) => ({ identity }) as RemoteParticipant);
  const remoteParticipants = new Map(participants.map((p) => [p.identity, p]));
  return { remoteParticipants, metadata } as Pick<Room, "remoteParticipants" | "metadata">;
}

const said = (attempt: number) => JSON.stringify({ attempt, state: "recovering" });

test("only the agent's identity is the agent", () => {
  expect(isAgent("agent-0198-1")).toBe(true);
  expect(isAgent("caller-agent-1")).toBe(false);
  expect(findAgent(room(["caller-1", "recorder"]))).toBeUndefined();
});

test("the latest attempt is the agent, by number", () => {
  const agents = room(["agent-0198-2", "agent-0198-10", "caller-1", "agent-0198-9"]);
  expect(findAgent(agents)?.identity).toBe("agent-0198-10");
});

test("an agent before the attempt that the room names is none", () => {
  expect(findAgent(room(["agent-0198-1"], said(2)))).toBeUndefined();
  expect(findAgent(room(["agent-0198-1", "agent-0198-2"], said(2)))?.identity).toBe("agent-0198-2");
});

test("an agent that is here before the room says so is the agent", () => {
  expect(findAgent(room(["agent-0198-1", "agent-0198-2"], said(1)))?.identity).toBe("agent-0198-2");
});

test("what is sent is believed of the current agent alone", () => {
  const both = room(["agent-0198-1", "agent-0198-2"], said(1));
  expect(isCurrentAgent(both, "agent-0198-2")).toBe(true);
  expect(isCurrentAgent(both, "agent-0198-1")).toBe(false);
  expect(isCurrentAgent(both, "caller-9")).toBe(false);
  const none = room([], said(2));
  expect(isCurrentAgent(none, "agent-0198-2")).toBe(true);
  expect(isCurrentAgent(none, "agent-0198-1")).toBe(false);
});

test.each([
  undefined,
  "",
  "no JSON",
  "{}",
  '{"attempt":0,"state":"live"}',
  '{"attempt":1,"state":"?"}',
])("the metadata %j say nothing", (metadata) => {
  expect(roomState({ metadata })).toBeNull();
});

test("the room's state is understood, and what is added to it later", () => {
  const metadata = '{"attempt":3,"state":"no-agent","since":"today"}';
  expect(roomState({ metadata })).toMatchObject({ attempt: 3, state: "no-agent" });
});

test("an agent that says nothing known is getting ready", () => {
  expect(agentState({ "lk.agent.state": "thinking" })).toBe("thinking");
  expect(agentState({ "lk.agent.state": "dancing" })).toBe("initializing");
  expect(agentState({})).toBe("initializing");
});
