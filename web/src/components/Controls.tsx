import { useState } from "react";
import type { CallSession } from "../callSession";
import type { Media } from "../media";
import { Devices } from "./Devices";
import { HangUpIcon, MicrophoneIcon, SlidersIcon } from "./icons";
import { Meter } from "./Meter";

/** Mute, devices, hang up. */
export function Controls(props: { session: CallSession; media: Media; disabled: boolean }) {
  const { session, media, disabled } = props;
  const [choosing, setChoosing] = useState(false);
  return (
    <div className="controls">
      {choosing && <Devices room={session.room} microphone={media.microphone !== null} />}
      {media.microphone && (
        <div className="level">
          <span>{media.muted ? "You are muted" : "Your microphone"}</span>
          <Meter track={media.microphone} />
        </div>
      )}
      <div className="control-row">
        {media.microphone ? (
          <button
            className="button control"
            data-testid="mute"
            data-muted={media.muted}
            disabled={disabled}
            onClick={() => void session.setMuted(!media.muted)}
          >
            <MicrophoneIcon off={media.muted} />
            {media.muted ? "Unmute" : "Mute"}
          </button>
        ) : (
          <button
            className="button control"
            data-testid="add-microphone"
            disabled={disabled || media.microphoneOpening}
            onClick={() => void session.addMicrophone()}
          >
            <MicrophoneIcon />
            {media.microphoneOpening ? "Asking…" : "Speak"}
          </button>
        )}
        <button
          className="button control"
          data-testid="devices-toggle"
          aria-expanded={choosing}
          onClick={() => setChoosing(!choosing)}
        >
          <SlidersIcon /> Devices
        </button>
        <button
          className="button control danger"
          data-testid="hang-up"
          disabled={disabled}
          onClick={() => void session.hangUp()}
        >
          <HangUpIcon /> Hang up
        </button>
      </div>
    </div>
  );
}
