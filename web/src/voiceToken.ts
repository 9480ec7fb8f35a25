import { config } from "./config";
import type { Problem, VoiceToken, VoiceTokenRequest } from "./contract";
import { ask, NoAnswer, type Answer } from "./http";
import { isA } from "./messages";

const REFUSALS = [
  "agents-busy",
  "call-ended",
  "call-not-found",
  "captcha-required",
  "captcha-unavailable",
  "daily-limit",
  "network-busy",
  "not-allowed",
  "rate-limited",
  "record-unavailable",
  "service-busy",
  "sfu-unavailable",
  "sign-in-required",
  "sign-in-unavailable",
  "tenant-limit",
  "too-many-calls",
] as const;

export interface Refusal {
  /** `refused`: a code that the page has no words for. */
  reason: (typeof REFUSALS)[number] | "refused";
  /** One sentence of the service that may be shown. */
  detail: string;
  retryAfterMs: number | null;
  /** In the queue, from 1, if the service told it. */
  position?: number;
}

export type TokenFailure = Refusal | { reason: "network" | "slow" | "unexpected" };

export class TokenError extends Error {
  constructor(readonly failure: TokenFailure) {
    super(failure.reason);
  }
}

/**
 * Asks for a token for a new call, or for the caller's own call *callId*.
 *
 * Throws TokenError, or the signal's reason when the caller gave up.
 */
export async function requestVoiceToken(
  abort: AbortSignal,
  callId: string | null = null,
  address: string | URL = "/api/voice-token",
  timeoutMs: number = config.requestTimeoutMs,
): Promise<VoiceToken> {
  const wish: VoiceTokenRequest | object = callId ? { call_id: callId } : {};
  const init = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(wish),
  };
  let answer: Answer;
  try {
    answer = await ask(address, init, abort, timeoutMs);
  } catch (error) {
    throw error instanceof NoAnswer ? new TokenError({ reason: error.reason }) : error;
  }
  if (answer.status < 300 && isA("VoiceToken", answer.body)) return answer.body;
  if (answer.status >= 400 && isA("Problem", answer.body)) {
    throw new TokenError(fromProblem(answer.body, answer.retryAfterMs));
  }
  if (answer.status === 401) {
    // From a proxy in front of the service.
    throw new TokenError({
      reason: "sign-in-required",
      detail: "",
      retryAfterMs: null,
    });
  }
  throw new TokenError({ reason: "unexpected" });
}

/** The call that a token is for, which is its room. The SFU checks the token; the page reads it. */
export function callOf(token: string): string | null {
  try {
    const payload = token.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/");
    const { video } = JSON.parse(atob(payload ?? "")) as { video?: { room?: unknown } };
    return typeof video?.room === "string" ? video.room : null;
  } catch {
    return null;
  }
}

function fromProblem(problem: Problem, retryAfterMs: number | null): TokenFailure {
  const { code, detail } = problem;
  if (code === "internal-error") return { reason: "unexpected" };
  const reason = REFUSALS.find((known) => known === code) ?? "refused";
  const position = isA("QueueProblem", problem) ? { position: problem.position } : {};
  return { reason, detail, retryAfterMs, ...position };
}

const BUSY: readonly TokenFailure["reason"][] = [
  "agents-busy",
  "network-busy",
  "service-busy",
  "tenant-limit",
];

/** The caller's position in the queue, from 1; null: the service did not tell it. */
export function queuePosition(error: unknown): number | null {
  if (!(error instanceof TokenError) || !("position" in error.failure)) return null;
  return error.failure.position ?? null;
}

/**
 * How long to wait in the queue before the next try; null: waiting does not help.
 *
 * *queueing*: the page is in the queue already. Then being rate-limited is a reason to wait too.
 */
export function queueDelay(error: unknown, queueing: boolean): number | null {
  if (!(error instanceof TokenError) || !("retryAfterMs" in error.failure)) return null;
  const { reason, retryAfterMs } = error.failure;
  if (!BUSY.includes(reason) && !(queueing && reason === "rate-limited")) return null;
  return Math.min(Math.max(retryAfterMs ?? 0, config.queueRetryMinMs), config.queueRetryMaxMs);
}
