import {
  ConnectionError,
  ConnectionErrorReason,
  ConnectionState,
  DisconnectReason,
  Room,
  RoomEvent,
  Track,
  TrackEvent,
  type LocalAudioTrack,
  type LocalTrack,
  type Participant,
  type RemoteAudioTrack,
  type RemoteTrack,
  type TextStreamReader,
} from "livekit-client";
import { agentState, findAgent, isAgent } from "./agent";
import type { CallEvent, Ending } from "./callState";
import { config } from "./config";
import { HANG_UP_METHOD, MESSAGE_MAX_BYTES, MESSAGE_TOPIC } from "./contract";
import { parseAgentMessage } from "./messages";
import { openMicrophone, type MicrophoneProblem } from "./microphone";
import { growing, whole } from "./textStream";
import type { Side, TranscriptEvent } from "./transcript";
import { requestVoiceToken, TokenError } from "./voiceToken";

const TRANSCRIPTION_TOPIC = "lk.transcription";
const CHAT_TOPIC = "lk.chat";
const TRANSCRIPTION_MAX_CHARS = 20_000;

/** What there is to hear and to be heard with. */
export interface Media {
  agentTrack: RemoteAudioTrack | null;
  microphone: LocalAudioTrack | null;
  microphoneOpening: boolean;
  /** Why a microphone that was asked for during the call is not there. */
  microphoneProblem: MicrophoneProblem | null;
  muted: boolean;
  /** The browser plays no sound before the person touches the page. */
  playbackBlocked: boolean;
}

export const NO_MEDIA: Media = {
  agentTrack: null,
  microphone: null,
  microphoneOpening: false,
  microphoneProblem: null,
  muted: false,
  playbackBlocked: false,
};

export interface CallListener {
  call(event: CallEvent): void;
  transcript(event: TranscriptEvent): void;
  media(change: Partial<Media>): void;
}

/** One call, from the click to the end. It says nothing more after `ended` or `leave()`. */
export class CallSession {
  readonly room = new Room({
    // With one connection for both directions, publishing the microphone while the agent's track
    // is being added fails now and then: "Transceiver not found based on m-line index".
    singlePeerConnection: false,
  });
  private readonly abort = new AbortController();
  private readonly sounds = new Map<RemoteTrack, HTMLMediaElement>();
  private microphone: LocalAudioTrack | null = null;
  /** Why the call is ending; set before the room is left. */
  private ending: Ending | null = null;
  private connected = false;
  private over = false;
  private revisions = 0;
  private entries = 0;
  private ignored = 0;

  constructor(private readonly listener: CallListener) {
    this.listen();
  }

  async start(withMicrophone: boolean): Promise<void> {
    try {
      // Without a secure context not even text can be sent; asking finds that out.
      if ((withMicrophone || !isSecureContext) && !(await this.askForMicrophone())) return;
      const place = await requestVoiceToken(this.abort.signal);
      if (this.over) return;
      this.listener.call({ type: "place-given" });
      await this.room.connect(place.rtc_url, place.token, { autoSubscribe: false });
      if (this.over) return;
      this.listener.call({ type: "connected" });
      this.lookForAgent();
      await this.publishMicrophone();
    } catch (error) {
      this.finish(endingOf(error));
    }
  }

  /** Tells the agent, then leaves. */
  async hangUp(): Promise<void> {
    if (this.over || this.ending) return;
    this.ending = { reason: "caller" };
    this.listener.call({ type: "hanging-up" });
    this.silence();
    const agent = findAgent(this.room);
    if (agent) {
      const told = this.room.localParticipant.performRpc({
        destinationIdentity: agent.identity,
        method: HANG_UP_METHOD,
        payload: "",
      });
      await Promise.race([told.catch(() => undefined), sleep(config.hangUpTimeoutMs)]);
    }
    this.finish(this.ending);
  }

  /** Ends the call for a reason that the page found. */
  finish(ending: Ending): void {
    if (this.over) return;
    const final = this.ending ?? ending;
    this.leave();
    this.listener.call({ type: "ended", ending: final });
  }

  /** Leaves without a word, whatever the call is doing. */
  leave(): void {
    this.over = true;
    this.abort.abort();
    this.silence();
    void this.room.disconnect();
  }

  async setMuted(muted: boolean): Promise<void> {
    await (muted ? this.microphone?.mute() : this.microphone?.unmute());
  }

  /** Adds a microphone to a call that was begun by text. */
  async addMicrophone(): Promise<void> {
    this.listener.media({ microphoneOpening: true, microphoneProblem: null });
    const opened = await openMicrophone();
    this.listener.media({ microphoneOpening: false });
    if (typeof opened === "string") {
      this.listener.media({ microphoneProblem: opened });
    } else {
      this.useMicrophone(opened);
      if (!this.over) await this.publishMicrophone();
    }
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

  /** Call from a click: only then may a blocked page begin to sound. */
  async allowPlayback(): Promise<void> {
    await this.room.startAudio().catch(() => undefined);
  }

  private async askForMicrophone(): Promise<boolean> {
    const opened = await openMicrophone();
    if (typeof opened === "string") {
      this.listener.call({ type: "microphone-failed", problem: opened });
      return false;
    }
    this.useMicrophone(opened);
    this.listener.call({ type: "microphone-opened" });
    return !this.over;
  }

  private useMicrophone(track: LocalAudioTrack): void {
    if (this.over) {
      track.stop();
      return;
    }
    this.microphone = track;
    track
      .on(TrackEvent.Muted, () => this.listener.media({ muted: true }))
      .on(TrackEvent.Unmuted, () => this.listener.media({ muted: false, microphoneProblem: null }))
      // LiveKit then tries the default microphone, and mutes the track if there is none.
      .on(TrackEvent.Ended, () => this.listener.media({ microphoneProblem: "missing" }))
      .on(TrackEvent.Restarted, () => this.listener.media({ microphoneProblem: null }));
    this.listener.media({ microphone: track, muted: false });
  }

  private async publishMicrophone(): Promise<void> {
    const track = this.microphone;
    if (!track) return;
    try {
      // The cast: LiveKit's own types disagree under exactOptionalPropertyTypes.
      await this.room.localParticipant.publishTrack(track as LocalTrack, {
        source: Track.Source.Microphone,
      });
    } catch (error) {
      if (this.over) return;
      console.debug("the microphone was not published", error);
      track.stop();
      this.microphone = null;
      this.listener.media({ microphone: null, microphoneProblem: "unknown" });
    }
  }

  private listen(): void {
    const look = () => this.lookForAgent();
    this.room
      .on(RoomEvent.ParticipantConnected, look)
      .on(RoomEvent.ParticipantDisconnected, look)
      .on(RoomEvent.ParticipantAttributesChanged, look)
      .on(RoomEvent.TrackPublished, look)
      .on(RoomEvent.TrackUnpublished, look)
      .on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
        this.play(track, participant);
        look();
      })
      .on(RoomEvent.TrackUnsubscribed, (track) => {
        this.stopPlaying(track);
        look();
      })
      .on(RoomEvent.AudioPlaybackStatusChanged, () => {
        this.listener.media({ playbackBlocked: !this.room.canPlaybackAudio });
      })
      .on(RoomEvent.SignalReconnecting, () => this.listener.call({ type: "reconnecting" }))
      .on(RoomEvent.Reconnecting, () => this.listener.call({ type: "reconnecting" }))
      .on(RoomEvent.Reconnected, () => {
        this.listener.call({ type: "reconnected" });
        look();
      })
      .on(RoomEvent.Disconnected, (reason) => {
        // Before the call is connected, `connect` itself says what went wrong.
        if (this.connected) this.finish(endingOfDisconnect(reason));
      })
      .on(RoomEvent.Connected, () => {
        this.connected = true;
      });
    this.room.registerTextStreamHandler(TRANSCRIPTION_TOPIC, (reader, sender) => {
      void this.readSpeech(reader, sender.identity);
    });
    this.room.registerTextStreamHandler(MESSAGE_TOPIC, (reader, sender) => {
      void this.readMessage(reader, sender.identity);
    });
  }

  /** Subscribes to the agent's sound and to no one else's, and tells what the agent does. */
  private lookForAgent(): void {
    if (this.over || this.ending || this.room.state !== ConnectionState.Connected) return;
    const agent = findAgent(this.room);
    for (const participant of this.room.remoteParticipants.values()) {
      for (const publication of participant.audioTrackPublications.values()) {
        const wanted = participant === agent;
        if (publication.isDesired !== wanted) publication.setSubscribed(wanted);
      }
    }
    const track = agent?.getTrackPublication(Track.Source.Microphone)?.audioTrack;
    this.listener.media({ agentTrack: (track as RemoteAudioTrack | undefined) ?? null });
    this.listener.call(
      agent
        ? { type: "agent-seen", agentState: agentState(agent.attributes) }
        : { type: "agent-gone" },
    );
  }

  private play(track: RemoteTrack, participant: Participant): void {
    if (this.over || track.kind !== Track.Kind.Audio || !isAgent(participant.identity)) return;
    const element = track.attach();
    this.sounds.set(track, element);
    document.body.append(element);
  }

  private stopPlaying(track: RemoteTrack): void {
    track.detach();
    this.sounds.get(track)?.remove();
    this.sounds.delete(track);
  }

  /** At once, in both directions; leaving the room takes a moment. */
  private silence(): void {
    this.microphone?.stop();
    for (const track of this.sounds.keys()) this.stopPlaying(track);
  }

  private async readSpeech(reader: TextStreamReader, sender: string): Promise<void> {
    const side = this.sideOf(sender);
    if (!side) {
      this.ignore("transcription", sender);
      return;
    }
    const segment = reader.info.attributes?.["lk.segment_id"] ?? reader.info.id;
    const revision = ++this.revisions;
    const heard = (text: string, final: boolean) => {
      if (this.over) return;
      this.listener.transcript({ type: "heard", side, segment, text, final, revision });
    };
    let text = "";
    try {
      for await (text of growing(reader, TRANSCRIPTION_MAX_CHARS)) heard(text, false);
      // The trailer may have changed the attributes.
      heard(text, reader.info.attributes?.["lk.transcription_final"] === "true");
    } catch {
      heard(text, true);
    }
  }

  private sideOf(identity: string): Side | null {
    if (isAgent(identity)) return "agent";
    return identity === this.room.localParticipant.identity ? "caller" : null;
  }

  private async readMessage(reader: TextStreamReader, sender: string): Promise<void> {
    const text = isAgent(sender)
      ? await whole(reader, MESSAGE_MAX_BYTES).catch(() => "")
      : "";
    const message = parseAgentMessage(text);
    if (this.over) return;
    switch (message?.type) {
      case "notice":
        this.listener.transcript({
          type: "noticed",
          id: `notice:${++this.entries}`,
          text: message.text,
        });
        return;
      case "call-ended":
        this.ending ??= { reason: message.reason };
        await sleep(config.lastWordsMs);
        this.finish(this.ending);
        return;
      default:
        this.ignore("message", sender);
    }
  }

  private ignore(what: "message" | "transcription", sender: string): void {
    this.ignored += 1;
    console.debug("ignored", { what, sender, ignored: this.ignored });
  }
}

function endingOf(error: unknown): Ending {
  if (error instanceof TokenError) return error.failure;
  const refused =
    error instanceof ConnectionError && error.reason === ConnectionErrorReason.NotAllowed;
  return { reason: refused ? "place-expired" : "connect-failed" };
}

function endingOfDisconnect(reason?: DisconnectReason): Ending {
  switch (reason) {
    case DisconnectReason.DUPLICATE_IDENTITY:
      return { reason: "taken-over" };
    case DisconnectReason.PARTICIPANT_REMOVED:
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
    case DisconnectReason.SERVER_SHUTDOWN:
      return { reason: "closed" };
    default:
      return { reason: "connection-lost" };
  }
}

function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
