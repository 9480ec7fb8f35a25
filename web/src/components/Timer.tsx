import { useEffect, useState } from "react";

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

/** Minutes and seconds, as `4:07`; from an hour on with the hours, as `1:04:07`. */
export function clock(durationMs: number): string {
  const totalS = Math.floor(durationMs / 1_000);
  const hours = Math.floor(totalS / 3_600);
  const minutes = Math.floor(totalS / 60) % 60;
  const seconds = String(totalS % 60).padStart(2, "0");
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}`
    : `${minutes}:${seconds}`;
}
