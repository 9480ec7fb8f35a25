import { useEffect, useState } from "react";
import { isFollowed, type Ending } from "../callState";
import { config } from "../config";
import type { Transcript as Entries } from "../transcript";
import { useNow } from "../useNow";
import { explain, whenAgain } from "../copy";
import { FollowUp } from "./FollowUp";
import { ClockIcon, HangUpIcon, PhoneIcon, WarningIcon } from "./icons";
import { Screen } from "./Screen";
import { Transcript } from "./Transcript";

/** Why the call ended or never started, its transcript, its summary, and how to call again. */
export function EndScreen(props: {
  ending: Ending;
  callId: string | null;
  transcript: Entries;
  agentName: string;
  onCall: (withMicrophone: boolean) => void;
  /** Returns to a call that continues; null: there is none. */
  onComeBack: (() => void) | null;
  onLeave: () => void;
}) {
  const { ending } = props;
  const inTime = useForAWhile(config.comeBackWithinMs);
  const onComeBack = inTime ? props.onComeBack : null;
  const { title, text, calm } = explain(ending, onComeBack !== null);
  const waitMs = useWait(ending);
  return (
    <Screen title={title} className="outcome">
      <div className={calm ? "emblem" : "emblem problem"} aria-hidden="true">
        {calm ? <HangUpIcon /> : waitMs === null ? <WarningIcon /> : <ClockIcon />}
      </div>
      <p
        className="lead"
        role={calm ? "status" : "alert"}
        data-testid="ending"
        data-reason={ending.reason}
      >
        {text}
      </p>
      {waitMs !== null && (
        <p className="when" data-testid="when">
          {whenAgain(waitMs)}
        </p>
      )}
      <div className="actions">
        {onComeBack && (
          <button className="button primary" data-testid="come-back" onClick={onComeBack}>
            <PhoneIcon /> Return to your call
          </button>
        )}
        {ending.reason === "sign-in-required" ? (
          <a className="button primary" data-testid="sign-in" href={config.signInUrl}>
            Sign in
          </a>
        ) : (
          <button
            className={onComeBack ? "button" : "button primary"}
            data-testid="call"
            disabled={waitMs !== null && waitMs > 0}
            onClick={() => props.onCall(true)}
          >
            {onComeBack ? (
              "New call"
            ) : (
              <>
                <PhoneIcon /> Call again
              </>
            )}
          </button>
        )}
        <button className="button quiet" data-testid="leave" onClick={props.onLeave}>
          Back to the start
        </button>
      </div>
      {isFollowed(ending) && <FollowUp callId={props.callId} />}
      {props.transcript.length > 0 && (
        <details className="record">
          <summary>Transcript</summary>
          <Transcript entries={props.transcript} agentName={props.agentName} live={false} />
        </details>
      )}
    </Screen>
  );
}

/** The time until this caller may call again; null where there is no such limit. */
function useWait(ending: Ending): number | null {
  const nowMs = useNow();
  const [shownAtMs] = useState(nowMs);
  if (ending.reason !== "rate-limited" && ending.reason !== "daily-limit") return null;
  if (ending.retryAfterMs === null) return null;
  return Math.max(0, shownAtMs + ending.retryAfterMs - nowMs);
}

/** True until *durationMs* have passed since the component appeared. */
function useForAWhile(durationMs: number): boolean {
  const [still, setStill] = useState(true);
  useEffect(() => {
    const timer = setTimeout(() => setStill(false), durationMs);
    return () => clearTimeout(timer);
  }, [durationMs]);
  return still;
}
