import type { Ending } from "../callState";
import type { Transcript as Entries } from "../transcript";
import { explain } from "../words";
import { HangUpIcon, PhoneIcon, WarningIcon } from "./icons";
import { Screen } from "./Screen";
import { Transcript } from "./Transcript";

/** Why the call ended or never began, what was said, and the way back in. */
export function EndScreen(props: {
  ending: Ending;
  transcript: Entries;
  onCall: (withMicrophone: boolean) => void;
  onLeave: () => void;
}) {
  const { title, text, calm } = explain(props.ending);
  return (
    <Screen title={title} className="outcome">
      <div className={calm ? "emblem" : "emblem problem"} aria-hidden="true">
        {calm ? <HangUpIcon /> : <WarningIcon />}
      </div>
      <p
        className="lead"
        role={calm ? "status" : "alert"}
        data-testid="ending"
        data-reason={props.ending.reason}
      >
        {text}
      </p>
      <div className="actions">
        <button className="button primary" data-testid="call" onClick={() => props.onCall(true)}>
          <PhoneIcon /> Call again
        </button>
        <button className="button quiet" data-testid="leave" onClick={props.onLeave}>
          Back to the start
        </button>
      </div>
      {props.transcript.length > 0 && (
        <details className="record">
          <summary>What was said</summary>
          <Transcript entries={props.transcript} live={false} />
        </details>
      )}
    </Screen>
  );
}
