import type { Ending } from "./callState";
import { config } from "./config";
import type { CallView, FollowUp } from "./contract";
import { ask, headers } from "./http";
import { isA } from "./messages";

/** The URL of the caller's own call; a cookie or a login proves that it is theirs. */
const address = (callId: string) => `/api/calls/${encodeURIComponent(callId)}`;

/** The call as recorded; null when it cannot be read. */
export async function readCall(callId: string, abort: AbortSignal): Promise<CallView | null> {
  try {
    const { body } = await ask(address(callId), {}, abort, config.requestTimeoutMs);
    return isA("CallView", body) ? body : null;
  } catch {
    return null;
  }
}

const END_REASONS = ["caller", "agent", "silence", "not-understood", "flood", "no-agent"] as const;

/** How a call ended whose room was closed. If the call continues, this page has lost it. */
export function endingOnRecord(view: CallView | null): Ending {
  if (view?.state === "requested" || view?.state === "live") return { reason: "connection-lost" };
  return { reason: END_REASONS.find((reason) => reason === view?.end_reason) ?? "closed" };
}

/** The work after the call; null: cannot be read now; `none`: this call has none. */
export async function readFollowUp(
  callId: string,
  abort: AbortSignal,
): Promise<FollowUp | "none" | null> {
  try {
    const url = `${address(callId)}/follow-up`;
    const { status, body } = await ask(url, {}, abort, config.requestTimeoutMs);
    if (status >= 400 && status < 500 && status !== 429) return "none";
    return isA("FollowUp", body) ? body : null;
  } catch {
    return null;
  }
}

/** Ends the call without its agent. The request outlives the page. */
export function endCall(callId: string): void {
  const init = { method: "POST", keepalive: true };
  void fetch(`${address(callId)}/end`, { ...init, headers: headers(init) }).catch(() => undefined);
}
