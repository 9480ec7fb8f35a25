import {
  Track,
  TrackEvent,
  type LocalAudioTrack,
  type LocalTrack,
  type Room,
} from "livekit-client";
import type { Media } from "./media";
import { openMicrophone, type MicrophoneProblem } from "./microphone";

/** The caller's microphone in one call. */
export class CallMicrophone {
  private track: LocalAudioTrack | null = null;
  private over = false;

  constructor(
    private readonly room: Room,
    private readonly tell: (change: Partial<Media>) => void,
  ) {}

  get isOpen(): boolean {
    return this.track !== null;
  }

  /** Whether the caller can be heard. */
  get isLive(): boolean {
    return this.track !== null && !this.track.isMuted;
  }

  /** Asks for it. Returns why it is not there, or null. */
  async open(): Promise<MicrophoneProblem | null> {
    const opened = await openMicrophone();
    if (typeof opened === "string") return opened;
    if (this.over) {
      opened.stop();
      return null;
    }
    this.track = opened;
    opened
      .on(TrackEvent.Muted, () => this.tell({ muted: true }))
      .on(TrackEvent.Unmuted, () => this.tell({ muted: false, microphoneProblem: null }))
      // LiveKit then tries the default microphone, and mutes the track if there is none.
      .on(TrackEvent.Ended, () => this.tell({ microphoneProblem: "missing" }))
      .on(TrackEvent.Restarted, () => this.tell({ microphoneProblem: null }));
    this.tell({ microphone: opened, muted: false });
    return null;
  }

  async publish(): Promise<void> {
    const { track } = this;
    if (!track) return;
    try {
      // The cast: LiveKit's own types disagree under exactOptionalPropertyTypes.
      await this.room.localParticipant.publishTrack(track as LocalTrack, {
        source: Track.Source.Microphone,
      });
    } catch (error) {
      if (this.over) return;
      console.debug("the microphone was not published", error);
      this.close();
      this.tell({ microphoneProblem: "unknown" });
    }
  }

  async setMuted(muted: boolean): Promise<void> {
    await (muted ? this.track?.mute() : this.track?.unmute());
  }

  /** It may be opened again. */
  close(): void {
    this.track?.stop();
    this.track = null;
    this.tell({ microphone: null });
  }

  /** For good, even if permission comes later. */
  stop(): void {
    this.over = true;
    this.track?.stop();
  }
}
