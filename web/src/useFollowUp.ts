import { useEffect, useState } from "react";
import { config } from "./config";
import type { FollowUp } from "./contract";
import { readFollowUp } from "./callApi";
import { sleep } from "./time";

/** `late`: the page has stopped waiting for it. `none`: this call has none. */
export type Followed =
  { state: "waiting" | "late" | "none" } | { state: "ready" | "failed"; followUp: FollowUp };

/** The work after a call, as soon as it is done. */
export function useFollowUp(callId: string | null): Followed {
  const [followed, setFollowed] = useState<Followed>({ state: callId ? "waiting" : "none" });
  useEffect(() => {
    if (!callId) return;
    const abort = new AbortController();
    void follow(callId, abort.signal).then(
      (found) => setFollowed(found),
      () => undefined,
    );
    return () => abort.abort();
  }, [callId]);
  return followed;
}

/** Throws the signal's reason. */
async function follow(callId: string, abort: AbortSignal): Promise<Followed> {
  const giveUpAtMs = performance.now() + config.followUpWithinMs;
  let pauseMs: number = config.followUpFirstMs;
  while (performance.now() < giveUpAtMs) {
    await sleep(pauseMs, abort);
    const followUp = await readFollowUp(callId, abort);
    abort.throwIfAborted();
    if (followUp === "none") return { state: "none" };
    if (followUp && followUp.state !== "waiting") return { state: followUp.state, followUp };
    pauseMs = Math.min(pauseMs * config.followUpGrowth, config.followUpLongestMs);
  }
  return { state: "late" };
}
