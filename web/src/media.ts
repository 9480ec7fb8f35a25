import type { LocalAudioTrack, RemoteAudioTrack } from "livekit-client";
import type { MicrophoneProblem } from "./microphone";

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
