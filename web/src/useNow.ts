import { useEffect, useState } from "react";

/** `performance.now()`, updated four times a second. */
export function useNow(): number {
  const [nowMs, setNowMs] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(performance.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}
