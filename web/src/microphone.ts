import { createLocalAudioTrack, MediaDeviceFailure, type LocalAudioTrack } from "livekit-client";

export type MicrophoneProblem =
  "refused" | "missing" | "in-use" | "insecure" | "unsupported" | "unknown";

/** Why there is no microphone, from what `getUserMedia` threw. */
export function microphoneProblem(error: unknown): MicrophoneProblem {
  switch (MediaDeviceFailure.getFailure(error)) {
    case MediaDeviceFailure.PermissionDenied:
      return "refused";
    case MediaDeviceFailure.NotFound:
      return "missing";
    case MediaDeviceFailure.DeviceInUse:
      return "in-use";
    default:
      return "unknown";
  }
}

/** Opens the microphone; the browser asks for permission if it was not given before. */
export async function openMicrophone(): Promise<LocalAudioTrack | MicrophoneProblem> {
  if (!isSecureContext) return "insecure";
  if (!("mediaDevices" in navigator)) return "unsupported";
  try {
    return await createLocalAudioTrack({
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
    });
  } catch (error) {
    return microphoneProblem(error);
  }
}
