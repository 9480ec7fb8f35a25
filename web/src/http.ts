import { config } from "./config";

export interface Answer {
  status: number;
  /** The body's JSON, or null. */
  body: unknown;
  /** What `Retry-After` asks for. */
  retryAfterMs: number | null;
}

/** No answer came. */
export class NoAnswer extends Error {
  constructor(readonly reason: "slow" | "network") {
    super(reason);
  }
}

/**
 * Asks the page's own server.
 *
 * Throws NoAnswer, or the signal's reason when the caller gave up.
 */
export async function ask(
  address: string | URL,
  init: RequestInit,
  abort: AbortSignal,
  timeoutMs: number,
): Promise<Answer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const signal = AbortSignal.any([abort, timeout]);
    const response = await fetch(address, { ...init, headers: headers(init), signal });
    const retryAfterMs = delay(response.headers.get("Retry-After"));
    return { status: response.status, body: json(await response.text()), retryAfterMs };
  } catch {
    abort.throwIfAborted();
    throw new NoAnswer(timeout.aborted ? "slow" : "network");
  }
}

/** What every request carries, beside its own headers. */
export function headers(init: RequestInit): Headers {
  const all = new Headers(init.headers);
  const token = config.accessToken();
  if (token !== null) all.set("Authorization", `Bearer ${token}`);
  return all;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** From seconds or an HTTP date. */
function delay(retryAfter: string | null): number | null {
  if (retryAfter === null) return null;
  const seconds = Number(retryAfter);
  const delayMs = Number.isNaN(seconds) ? Date.parse(retryAfter) - Date.now() : seconds * 1_000;
  return Number.isNaN(delayMs) ? null : Math.max(0, delayMs);
}
