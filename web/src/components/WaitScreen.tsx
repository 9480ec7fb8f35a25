import type { CallState } from "../callState";
import { config } from "../config";
import { statusOf } from "../copy";
import { words } from "../words";
import { Screen } from "./Screen";

/** From the click until the caller is in the room. */
export function WaitScreen({ state, onLeave }: { state: CallState; onLeave: () => void }) {
  const asking = state.phase === "asking-microphone";
  const returning = "returning" in state && state.returning;
  return (
    <Screen title={returning ? "Back to your call" : `Calling ${words.name}`} className="wait">
      <div className="ripple" aria-hidden="true">
        <span />
        <span />
        <span />
      </div>
      <p className="status" role="status" data-testid="status">
        {statusOf(state)}
      </p>
      <p className="hint">
        {asking && `Choose “Allow” in your browser, so that ${config.agentName} can hear you.`}
      </p>
      <button className="button quiet" data-testid="cancel" onClick={onLeave}>
        {returning ? "End the call" : "Cancel"}
      </button>
    </Screen>
  );
}
