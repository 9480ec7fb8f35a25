import { config } from "../config";
import { countdown } from "../dates";
import { useNow } from "../useNow";
import { statusOf, turnOf } from "../copy";
import { Screen } from "./Screen";

/** All agents are busy: the page keeps trying until the caller gives up. */
export function QueueScreen(props: {
  /** By `performance.now()`; null: it is trying right now. */
  retryAtMs: number | null;
  /** From 1; null: not known. */
  position: number | null;
  onLeave: () => void;
}) {
  const { retryAtMs, position, onLeave } = props;
  const nowMs = useNow();
  const leftMs = retryAtMs === null ? 0 : Math.max(0, retryAtMs - nowMs);
  return (
    <Screen title={statusOf({ phase: "queueing", retryAtMs, position })} className="wait queue">
      <div className="ripple" aria-hidden="true">
        <span />
        <span />
        <span />
      </div>
      <p className="lead" role="status" data-testid="position">
        {turnOf(position)} Nothing to do: your call starts as soon as {config.agentName} is free.
      </p>
      <p className="status" data-testid="queue" data-asking={leftMs === 0}>
        {leftMs === 0 ? "Trying now…" : `Next try in ${countdown(leftMs)}`}
      </p>
      <button className="button quiet" data-testid="leave" onClick={onLeave}>
        Leave the queue
      </button>
    </Screen>
  );
}
