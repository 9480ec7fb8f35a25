import type { RemoteAudioTrack } from "livekit-client";

/** The page's one audio element: it plays one track, or is not there. */
export class AgentAudio {
  private track: RemoteAudioTrack | null = null;
  private element: HTMLMediaElement | null = null;

  /** Plays *track* and nothing else. */
  play(track: RemoteAudioTrack | null): void {
    if (track === this.track) return;
    this.track?.detach();
    this.element?.remove();
    this.track = track;
    this.element = track?.attach() ?? null;
    if (this.element) document.body.append(this.element);
  }
}
