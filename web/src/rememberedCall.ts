import { withStorage } from "./storage";

/** The call that this tab is in: after a reload the page returns to it. */
export interface RememberedCall {
  callId: string;
  /** By this machine's clock. */
  startedAtMs: number;
  /** Whether the caller used a microphone. */
  microphone: boolean;
  muted: boolean;
}

const KEY = "parley.call";

/** This tab's call, and for `recallFromAnyTab` the browser's latest. */
export function remember(call: RememberedCall): void {
  const text = JSON.stringify(call);
  withStorage("sessionStorage", (storage) => storage.setItem(KEY, text));
  withStorage("localStorage", (storage) => storage.setItem(KEY, text));
}

export function forget(): void {
  const { callId } = recall() ?? {};
  withStorage("sessionStorage", (storage) => storage.removeItem(KEY));
  if (callId === recallFromAnyTab()?.callId) {
    withStorage("localStorage", (storage) => storage.removeItem(KEY));
  }
}

export function recall(): RememberedCall | null {
  return withStorage("sessionStorage", (storage) => parse(storage.getItem(KEY))) ?? null;
}

/** The call of a tab that was closed, or of another one. */
export function recallFromAnyTab(): RememberedCall | null {
  return withStorage("localStorage", (storage) => parse(storage.getItem(KEY))) ?? null;
}

/** Throws when it is not what `remember` wrote. */
function parse(text: string | null): RememberedCall | null {
  if (text === null) return null;
  const { callId, startedAtMs, microphone, muted } = JSON.parse(text) as Record<string, unknown>;
  if (typeof callId !== "string" || typeof startedAtMs !== "number") return null;
  return { callId, startedAtMs, microphone: microphone === true, muted: muted === true };
}
