import { useEffect, useState } from "react";
import type { Ending } from "../callState";
import { config } from "../config";
import type { Transcript as Entries } from "../transcript";
import { explain } from "../words";
import { HangUpIcon, PhoneIcon, WarningIcon } from "./icons";
import { Screen } from "./Screen";
import { Transcript } from "./Transcript";

/** Why the call ended or never began, what was said, and the way back in. */
export function EndScreen(props: {
  ending: Ending;
  /** The call may be come back to. */
  lost: boolean;
  transcript: Entries;
  onCall: (withMicrophone: boolean) => void;
  onComeBack: () => void;
  onLeave: () => void;
}) {
  const lost = useForAWhile(config.comeBackWithinMs) && props.lost;
  const { title, text, calm } = explain(props.ending, lost);
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
        {lost && (
          <button className="button primary" data-testid="come-back" onClick={props.onComeBack}>
            <PhoneIcon /> Come back
          </button>
        )}
        <button
          className={lost ? "button" : "button primary"}
          data-testid="call"
          onClick={() => props.onCall(true)}
        >
          {!lost && <PhoneIcon />} {lost ? "New call" : "Call again"}
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

/** Whether *durationMs* have not passed yet since it was first asked. */
function useForAWhile(durationMs: number): boolean {
  const [still, setStill] = useState(true);
  useEffect(() => {
    const timer = setTimeout(() => setStill(false), durationMs);
    return () => clearTimeout(timer);
  }, [durationMs]);
  return still;
}
