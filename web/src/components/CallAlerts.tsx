import type { CallSession } from "../callSession";
import type { CallState } from "../callState";
import type { Media } from "../media";
import { MICROPHONE, statusOf } from "../copy";
import { SpeakerIcon, WarningIcon } from "./icons";

/** What needs the caller's attention during a call. */
export function CallAlerts(props: {
  state: CallState;
  media: Media;
  session: CallSession;
  onRetry: () => void;
  onLeave: () => void;
}) {
  const { state, media, session } = props;
  const problem = media.microphoneProblem && MICROPHONE[media.microphoneProblem];
  return (
    <div className="alerts">
      {media.playbackBlocked && (
        <button
          className="button primary tap-to-hear"
          data-testid="tap-to-hear"
          onClick={() => void session.allowPlayback()}
        >
          <SpeakerIcon /> Tap to hear
        </button>
      )}
      {problem && (
        <div className="alert" role="alert" data-testid="alert">
          <WarningIcon />
          <p>
            <strong>{problem.title}.</strong> {problem.text}
          </p>
        </div>
      )}
      {state.phase === "waiting-for-agent" && state.patience === "no-agent" && (
        <div className="alert" role="alert" data-testid="alert">
          <WarningIcon />
          <p>
            <strong>{statusOf(state)}.</strong> You can keep waiting, or start a new call.
          </p>
          <div className="actions">
            <button className="button primary" data-testid="retry" onClick={props.onRetry}>
              Call again
            </button>
            <button
              className="button quiet"
              data-testid="leave"
              onClick={() =>
                state.agentLeft ? session.stopWaiting("agent-left") : props.onLeave()
              }
            >
              Leave
            </button>
          </div>
        </div>
      )}
    </div>
  );
}
