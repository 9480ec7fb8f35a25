import { useTrackVolume } from "@livekit/components-react";
import type { LocalAudioTrack } from "livekit-client";

/** Speech at a usual distance reaches about a third of full scale. */
const GAIN = 2.5;

/** How loud the caller is: the sign that the microphone works. */
export function Meter({ track }: { track: LocalAudioTrack }) {
  const level = Math.min(1, useTrackVolume(track) * GAIN);
  return (
    <div className="meter" data-testid="meter" data-level={level.toFixed(2)} aria-hidden="true">
      <div style={{ transform: `scaleX(${level})` }} />
    </div>
  );
}
