import type { MicrophoneProblem } from "../microphone";
import { MICROPHONE } from "../copy";
import { KeyboardIcon, MicrophoneIcon } from "./icons";
import { Screen } from "./Screen";

/** There is no microphone: why, what to do, and how to continue without one. */
export function MicrophoneScreen(props: {
  problem: MicrophoneProblem;
  onCall: (withMicrophone: boolean) => void;
  onLeave: () => void;
}) {
  const { title, text } = MICROPHONE[props.problem];
  return (
    <Screen title={title} className="outcome">
      <div className="emblem problem" aria-hidden="true">
        <MicrophoneIcon off />
      </div>
      <p className="lead" role="alert" data-testid="alert" data-problem={props.problem}>
        {text}
      </p>
      <div className="actions">
        {props.problem !== "insecure" && props.problem !== "unsupported" && (
          <button className="button primary" data-testid="retry" onClick={() => props.onCall(true)}>
            <MicrophoneIcon /> Try again
          </button>
        )}
        {props.problem !== "insecure" && (
          <button className="button" data-testid="call-by-text" onClick={() => props.onCall(false)}>
            <KeyboardIcon /> Continue in text
          </button>
        )}
        <button className="button quiet" data-testid="leave" onClick={props.onLeave}>
          Back
        </button>
      </div>
    </Screen>
  );
}
