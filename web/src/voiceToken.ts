import { config } from "./config";
import type { VoiceToken } from "./contract";
import { isA } from "./messages";

export type TokenFailure =
  | { reason: "sfu-unavailable" }
  | { reason: "network" }
  | { reason: "slow" }
  | { reason: "refused"; detail: string }
  | { reason: "unexpected" };

export class TokenError extends Error {
  constructor(readonly failure: TokenFailure) {
    super(failure.reason);
  }
}

/**
 * Asks for a place in a new call.
 *
 * Throws TokenError, or the signal's reason when the caller gave up.
 */
export async function requestVoiceToken(
  abort: AbortSignal,
  address: string | URL = "/api/voice-token",
  timeoutMs: number = config.tokenTimeoutMs,
): Promise<VoiceToken> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let status: number;
  let body: unknown;
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
      signal: AbortSignal.any([abort, timeout]),
    });
    status = response.status;
    body = await json(response);
  } catch {
    abort.throwIfAborted();
    throw new TokenError({ reason: timeout.aborted ? "slow" : "network" });
  }
  if (status < 300 && isA("VoiceToken", body)) return body;
  if (status >= 400 && isA("Problem", body)) throw new TokenError(fromProblem(body));
  throw new TokenError({ reason: "unexpected" });
}

async function json(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function fromProblem(problem: { code: string; detail: string }): TokenFailure {
  switch (problem.code) {
    case "sfu-unavailable":
      return { reason: "sfu-unavailable" };
    case "internal-error":
      return { reason: "unexpected" };
    default:
      return { reason: "refused", detail: problem.detail };
  }
}
