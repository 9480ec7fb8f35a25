import {
  ConnectionError,
  ConnectionErrorReason,
  ConnectionState,
  DisconnectReason,
  Room,
  RoomEvent,
  Track,
  type RemoteAudioTrack,
} from "livekit-client";
import { ClientActions } from "./clientActions";
import { agentState, askAgent, findAgent, roomState } from "./agent";
import { AgentAudio } from "./agentAudio";
import { CallMicrophone } from "./callMicrophone";
import { mayComeBack, type CallEvent, type Ending } from "./callState";
import { config } from "./config";
import { ConfirmationClient, type Ask } from "./confirmationClient";
import type { ConfirmationEvent } from "./confirmations";
import {
  CALLER_STATE_METHOD,
  HANG_UP_METHOD,
  type AgentMessage,
  type CallerState,
  type VoiceToken,
} from "./contract";
import { Inbox } from "./inbox";
import type { Media } from "./media";
import { endCall, endingOnRecord, readCall } from "./callApi";
import { forget, remember, type RememberedCall } from "./rememberedCall";
import type { ActionEvent } from "./storefront/actions";
import { sleep } from "./time";
import type { TranscriptEvent } from "./transcript";
import { callOf, queueDelay, queuePosition, requestVoiceToken, TokenError } from "./voiceToken";

const CHAT_TOPIC = "lk.chat";

export interface CallListener {
  call: (event: CallEvent) => void;
  transcript: (event: TranscriptEvent) => void;
  media: (change: Partial<Media>) => void;
  confirmations: (event: ConfirmationEvent) => void;
  actions: (event: ActionEvent) => void;
}

/** The page's side of one call. It reports nothing more after `ended` or `leave()`. */
export class CallSession {
  readonly room = new Room({
    // With one connection for both directions, publishing the microphone while the agent's track
    // is being added fails now and then: "Transceiver not found based on m-line index".
    singlePeerConnection: false,
  });
  /** The call, once the server has given out a token for it. */
  call: RememberedCall | null = null;
  readonly confirmations: ConfirmationClient;
  readonly actions: ClientActions;
  private readonly listener: CallListener;
  private readonly abort = new AbortController();
  private readonly sound = new AgentAudio();
  private readonly microphone: CallMicrophone;
  private withMicrophone = false;
  /** The agent that was seen last. */
  private agent: string | null = null;
  /** Why the call is ending; set before the room is left. */
  private ending: Ending | null = null;
  private connected = false;
  private over = false;
  /** Whether the servers know how this call ends, or have been told. */
  private settled = false;
  private entries = 0;
  private typing = false;
  /** What the agent knows of the caller, as it was sent. */
  private told = "";

  constructor(listener: CallListener) {
    this.listener = {
      call: (event) => this.over || listener.call(event),
      transcript: (event) => this.over || listener.transcript(event),
      media: (change) => this.over || listener.media(change),
      confirmations: (event) => this.over || listener.confirmations(event),
      actions: (event) => this.over || listener.actions(event),
    };
    this.microphone = new CallMicrophone(this.room, (change) => {
      this.listener.media(change);
      this.tellState();
    });
    const ask: Ask = (method, payload) => askAgent(this.room, method, payload);
    const { signal } = this.abort;
    this.confirmations = new ConfirmationClient(ask, this.listener.confirmations, signal);
    this.actions = new ClientActions(ask, this.listener.actions, signal);
    new Inbox(this.room, {
      transcript: (event) => this.listener.transcript(event),
      message: (message) => void this.obey(message),
    });
    this.listen();
  }

  /** Starts a call. */
  async start(withMicrophone: boolean): Promise<void> {
    this.withMicrophone = withMicrophone;
    try {
      // Without a secure context not even text can be sent; asking finds that out.
      if ((withMicrophone || !isSecureContext) && !(await this.askForMicrophone())) return;
      await this.enter(await this.requestCall());
    } catch (error) {
      this.finish(endingOf(error));
    }
  }

  /** Returns to a call. Joins before it opens the microphone: the call does not wait long. */
  async comeBack(call: RememberedCall): Promise<void> {
    this.call = call;
    this.withMicrophone = call.microphone;
    const replayed = this.replay("replayed");
    try {
      const token = await this.requestCall();
      await replayed;
      this.room.once(RoomEvent.Connected, () => void this.replayAgain());
      await this.enter(token);
    } catch (error) {
      await replayed;
      this.finish(endingOf(error));
    }
  }

  /** Tells the agent, or else the server, then leaves. */
  async hangUp(): Promise<void> {
    if (this.over || this.ending) return;
    this.ending = { reason: "caller" };
    this.listener.call({ type: "hanging-up" });
    this.silence();
    forget();
    const close = () => this.settle();
    addEventListener("pagehide", close);
    const told = await Promise.race([
      askAgent(this.room, HANG_UP_METHOD, "").then(
        () => true,
        () => false,
      ),
      sleep(config.hangUpTimeoutMs).then(() => false),
    ]);
    removeEventListener("pagehide", close);
    if (!told) this.settle();
    this.finish(this.ending);
  }

  /** Ends the call because no agent came. */
  stopWaiting(reason: "agent-left" | "no-agent"): void {
    this.settle();
    this.finish({ reason });
  }

  /** Leaves, and ends a call that might still be waiting for this caller. */
  abandon(): void {
    if (!this.settled) forget();
    this.settle();
    this.leave();
  }

  /** Leaves without telling anyone, whatever the call is doing. */
  leave(): void {
    this.over = true;
    this.abort.abort();
    this.silence();
    void this.room.disconnect();
  }

  async setMuted(muted: boolean): Promise<void> {
    this.keep({ muted });
    await this.microphone.setMuted(muted);
  }

  /** Adds a microphone to a call that has none. */
  async addMicrophone(): Promise<void> {
    this.listener.media({ microphoneOpening: true, microphoneProblem: null });
    const microphoneProblem = await this.microphone.open();
    this.listener.media({ microphoneOpening: false, microphoneProblem });
    if (microphoneProblem || this.over) return;
    this.keep({ microphone: true });
    await this.microphone.setMuted(this.call?.muted ?? false);
    await this.microphone.publish();
  }

  async sendText(text: string): Promise<void> {
    const id = `typed:${++this.entries}`;
    this.listener.transcript({ type: "typed", id, text });
    const agent = findAgent(this.room);
    let ok = false;
    try {
      if (agent) {
        const destinationIdentities = [agent.identity];
        await this.room.localParticipant.sendText(text, {
          topic: CHAT_TOPIC,
          destinationIdentities,
        });
        ok = true;
      }
    } catch (error) {
      console.debug("text was not sent", error);
    }
    this.listener.transcript({ type: "sent", id, ok });
  }

  /** Tells the agent that the caller writes, or has stopped: it then waits longer. */
  setTyping(typing: boolean): void {
    this.typing = typing;
    this.tellState();
  }

  /** Call from a click: only then may a blocked page start to play sound. */
  async allowPlayback(): Promise<void> {
    await this.room.startAudio().catch(() => undefined);
  }

  private async askForMicrophone(): Promise<boolean> {
    const problem = await this.microphone.open();
    this.listener.call(
      problem ? { type: "microphone-failed", problem } : { type: "microphone-opened" },
    );
    return !problem && !this.over;
  }

  /** A token, after a wait in the queue if all agents are busy. */
  private async requestCall(): Promise<VoiceToken> {
    const signal = this.abort.signal;
    const giveUpAtMs = performance.now() + config.queueMaxMs;
    let position: number | null = null;
    for (let queueing = false; ; queueing = true) {
      try {
        return await requestVoiceToken(signal, this.call?.callId);
      } catch (error) {
        const delayMs = queueDelay(error, queueing);
        const retryAtMs = performance.now() + (delayMs ?? Infinity);
        if (delayMs === null || retryAtMs > giveUpAtMs) throw error;
        // It is on only during the call.
        this.microphone.close();
        // Who asks too often is not told, and has not lost it.
        position = queuePosition(error) ?? position;
        this.listener.call({ type: "queued", retryAtMs, position });
        await sleep(delayMs, signal);
        this.listener.call({ type: "queued", retryAtMs: null, position });
      }
    }
  }

  private async enter({ token, rtc_url }: VoiceToken): Promise<void> {
    if (this.over) return;
    const callId = callOf(token);
    if (callId && callId !== this.call?.callId) {
      const { withMicrophone: microphone } = this;
      this.call = { callId, startedAtMs: Date.now(), microphone, muted: false };
    }
    this.keep({});
    this.listener.call({ type: "token-received" });
    await this.room.connect(rtc_url, token, { autoSubscribe: false });
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it may be by now
    if (this.over) return;
    this.listener.call({ type: "connected" });
    this.look();
    if (this.microphone.isOpen) await this.microphone.publish();
    else if (this.withMicrophone) await this.addMicrophone();
  }

  private async replay(type: "replayed" | "completed"): Promise<void> {
    const view = this.call && (await readCall(this.call.callId, this.abort.signal));
    if (view) this.listener.transcript({ type, lines: view.transcript });
  }

  /** The last lines are recorded only once the agent notices that nobody is listening. */
  private async replayAgain(): Promise<void> {
    await sleep(config.replayAgainMs);
    await this.replay("completed");
  }

  /** Keeps what a reload needs to know. */
  private keep(change: Partial<RememberedCall>): void {
    if (!this.call) return;
    this.call = { ...this.call, ...change };
    if (!this.settled && !this.ending) remember(this.call);
  }

  private settle(): void {
    if (this.call && !this.settled) endCall(this.call.callId);
    this.settled = true;
  }

  private finish(ending: Ending): void {
    if (this.over) return;
    const final = this.ending ?? ending;
    if (!mayComeBack(final)) {
      this.settled = true;
      forget();
    }
    this.listener.call({ type: "ended", ending: final });
    this.leave();
  }

  private listen(): void {
    const look = () => this.look();
    this.room
      .on(RoomEvent.ParticipantConnected, look)
      .on(RoomEvent.ParticipantDisconnected, look)
      .on(RoomEvent.ParticipantAttributesChanged, look)
      .on(RoomEvent.RoomMetadataChanged, look)
      .on(RoomEvent.TrackPublished, look)
      .on(RoomEvent.TrackUnpublished, look)
      .on(RoomEvent.TrackSubscribed, look)
      .on(RoomEvent.TrackUnsubscribed, look)
      .on(RoomEvent.AudioPlaybackStatusChanged, () => {
        this.listener.media({ playbackBlocked: !this.room.canPlaybackAudio });
      })
      .on(RoomEvent.SignalReconnecting, () => this.listener.call({ type: "reconnecting" }))
      .on(RoomEvent.Reconnecting, () => this.listener.call({ type: "reconnecting" }))
      .on(RoomEvent.Reconnected, () => {
        this.listener.call({ type: "reconnected" });
        this.agent = null;
        look();
      })
      .on(RoomEvent.Disconnected, (reason) => {
        // Before the call is connected, `connect` itself says what went wrong.
        if (this.connected && !this.over) void this.disconnected(reason);
      })
      .on(RoomEvent.Connected, () => {
        this.connected = true;
      });
  }

  /** Subscribes to the agent's sound and to nobody else's, and reports what the agent does. */
  private look(): void {
    if (this.over || this.ending || this.room.state !== ConnectionState.Connected) return;
    const agent = findAgent(this.room);
    for (const participant of this.room.remoteParticipants.values()) {
      for (const publication of participant.audioTrackPublications.values()) {
        const wanted = participant === agent;
        if (publication.isDesired !== wanted) publication.setSubscribed(wanted);
      }
    }
    const audio = agent?.getTrackPublication(Track.Source.Microphone)?.audioTrack;
    const agentTrack = (audio as RemoteAudioTrack | undefined) ?? null;
    this.sound.play(agentTrack);
    this.listener.media({ agentTrack, ...(agent?.name && { agentName: agent.name }) });
    const said = roomState(this.room);
    if (said) this.listener.call({ type: "room-state", room: said.state });
    if (agent && agent.identity !== this.agent) {
      this.agent = agent.identity;
      this.told = "";
      this.tellState();
      void this.confirmations.open();
    }
    this.listener.call(
      agent
        ? { type: "agent-seen", agentState: agentState(agent.attributes) }
        : { type: "agent-gone" },
    );
  }

  /** Lets the agent know why the caller may be silent. */
  private tellState(): void {
    if (this.over || !this.agent) return;
    const state: CallerState = { muted: !this.microphone.isLive, typing: this.typing };
    const told = JSON.stringify(state);
    if (told === this.told) return;
    this.told = told;
    askAgent(this.room, CALLER_STATE_METHOD, told).catch((error: unknown) => {
      console.debug("the caller's state was not told", error);
      // The next change tells it again.
      if (this.told === told) this.told = "";
    });
  }

  /** Stops sound in both directions immediately; leaving the room takes a moment. */
  private silence(): void {
    this.microphone.stop();
    this.sound.play(null);
  }

  private async disconnected(reason?: DisconnectReason): Promise<void> {
    this.silence();
    const ending = endingOfDisconnect(reason);
    // LiveKit leaves the room when the page is left: most likely the page is gone for good.
    if (ending.reason === "page-left") await sleep(config.pageLeaveMs);
    const closed = ending.reason === "closed" && this.call;
    this.finish(closed ? endingOnRecord(await readCall(closed.callId, this.abort.signal)) : ending);
  }

  private async obey(message: AgentMessage): Promise<void> {
    switch (message.type) {
      case "notice": {
        const id = `notice:${++this.entries}`;
        this.listener.transcript({ type: "noticed", id, text: message.text });
        return;
      }
      case "confirmations":
        this.confirmations.list(message);
        return;
      case "client-action":
        this.actions.suggest(message);
        return;
      case "call-ended":
        this.ending ??= { reason: message.reason };
        await sleep(config.lastWordsMs);
        this.finish(this.ending);
    }
  }
}

function endingOf(error: unknown): Ending {
  if (error instanceof TokenError) return error.failure;
  const refused =
    error instanceof ConnectionError && error.reason === ConnectionErrorReason.NotAllowed;
  return { reason: refused ? "token-expired" : "connect-failed" };
}

function endingOfDisconnect(reason?: DisconnectReason): Ending {
  switch (reason) {
    case DisconnectReason.DUPLICATE_IDENTITY:
      return { reason: "taken-over" };
    case DisconnectReason.CLIENT_INITIATED:
      return { reason: "page-left" };
    case DisconnectReason.PARTICIPANT_REMOVED:
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
    case DisconnectReason.SERVER_SHUTDOWN:
      return { reason: "closed" };
    default:
      return { reason: "connection-lost" };
  }
}
