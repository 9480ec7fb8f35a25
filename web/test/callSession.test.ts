import { ConnectionState, RoomEvent, TrackEvent } from "livekit-client";
import { afterEach, expect, test, vi } from "vitest";
import { CallSession } from "../src/callSession";
import { CALLER_STATE_METHOD } from "../src/contract";

const nothing = () => undefined;

/** A microphone that exists only here. */
const track = vi.hoisted(() => {
  const listeners = new Map<string, () => void>();
  return {
    isMuted: false,
    on(event: string, listener: () => void) {
      listeners.set(event, listener);
      return this;
    },
    turn(event: string, isMuted: boolean) {
      this.isMuted = isMuted;
      listeners.get(event)?.();
      return Promise.resolve();
    },
    mute: (): Promise<void> => track.turn(TrackEvent.Muted, true),
    unmute: (): Promise<void> => track.turn(TrackEvent.Unmuted, false),
    stop: () => undefined,
  };
});
vi.mock("../src/microphone", () => ({ openMicrophone: () => Promise.resolve(track) }));

const open: CallSession[] = [];
afterEach(() => {
  open.splice(0).forEach((session) => session.leave());
});

/** A page in its call with an agent, and what it tells the agent of the caller. */
function inCall(): { session: CallSession; told: unknown[] } {
  const listener = { transcript: nothing, media: nothing, confirmations: nothing };
  const session = new CallSession({ ...listener, call: nothing, actions: nothing });
  open.push(session);
  const told: unknown[] = [];
  const { room } = session;
  vi.spyOn(session.confirmations, "open").mockResolvedValue();
  vi.spyOn(room, "disconnect").mockResolvedValue();
  vi.spyOn(room.localParticipant, "publishTrack").mockResolvedValue(null as never);
  vi.spyOn(room.localParticipant, "performRpc").mockImplementation(({ method, payload }) => {
    if (method === CALLER_STATE_METHOD) told.push(JSON.parse(payload));
    return Promise.resolve("");
  });
  const agent = {
    identity: "agent-1-1",
    attributes: {},
    audioTrackPublications: new Map(),
    getTrackPublication: nothing,
  };
  room.state = ConnectionState.Connected;
  room.remoteParticipants.set(agent.identity, agent as never);
  room.emit(RoomEvent.ParticipantConnected, agent as never);
  return { session, told };
}

test("the agent is told when the caller cannot speak and when they write, once each", async () => {
  const { session, told } = inCall();
  expect(told).toEqual([{ muted: true, typing: false }]);
  await session.addMicrophone();
  await session.setMuted(true);
  await session.setMuted(false);
  session.setTyping(true);
  session.setTyping(true);
  session.setTyping(false);
  expect(told.slice(1)).toEqual([
    { muted: false, typing: false },
    { muted: true, typing: false },
    { muted: false, typing: false },
    { muted: false, typing: true },
    { muted: false, typing: false },
  ]);
});

test("an agent that the page finds again is told anew", () => {
  const { session, told } = inCall();
  session.setTyping(true);
  session.room.emit(RoomEvent.Reconnected);
  expect(told.at(-1)).toEqual({ muted: true, typing: true });
  expect(told).toHaveLength(3);
});
