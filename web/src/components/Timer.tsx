import { useEffect, useState } from "react";
import { clock } from "../dates";

/** The time since *startedAtMs*, or else since it was first shown. */
export function Timer({ startedAtMs }: { startedAtMs: number | null }) {
  const [shownAtMs] = useState(() => Date.now());
  const [nowMs, setNowMs] = useState(shownAtMs);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span className="timer" role="timer" aria-label="Length of the call" data-testid="timer">
      {clock(Math.max(0, nowMs - (startedAtMs ?? shownAtMs)))}
    </span>
  );
}
