import type { LocalAudioTrack, RemoteAudioTrack } from "livekit-client";
import type { MicrophoneProblem } from "./microphone";

/** Who speaks, and the sound of both sides. */
export interface Media {
  agentTrack: RemoteAudioTrack | null;
  /** Of the agent that was here last. */
  agentName: string | null;
  microphone: LocalAudioTrack | null;
  microphoneOpening: boolean;
  /** Why adding a microphone during the call failed. */
  microphoneProblem: MicrophoneProblem | null;
  muted: boolean;
  /** The browser plays no sound until the caller clicks on the page. */
  playbackBlocked: boolean;
}

export const NO_MEDIA: Media = {
  agentTrack: null,
  agentName: null,
  microphone: null,
  microphoneOpening: false,
  microphoneProblem: null,
  muted: false,
  playbackBlocked: false,
};
