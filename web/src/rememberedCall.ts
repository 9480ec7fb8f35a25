/** The call that this tab is in: after a reload it is come back to. */
export interface RememberedCall {
  callId: string;
  /** By this machine's clock. */
  startedAtMs: number;
  /** Whether the caller spoke, or wrote only. */
  microphone: boolean;
  muted: boolean;
}

const KEY = "parley.call";

export function remember(call: RememberedCall): void {
  store((storage) => storage.setItem(KEY, JSON.stringify(call)));
}

export function forget(): void {
  store((storage) => storage.removeItem(KEY));
}

export function recall(): RememberedCall | null {
  return store((storage) => parse(storage.getItem(KEY))) ?? null;
}

/** Browsers that keep nothing for pages throw at the first touch. */
function store<Value>(use: (storage: Storage) => Value): Value | undefined {
  try {
    return use(sessionStorage);
  } catch {
    return undefined;
  }
}

/** Throws when it is not what `remember` wrote. */
function parse(text: string | null): RememberedCall | null {
  if (text === null) return null;
  const { callId, startedAtMs, microphone, muted } = JSON.parse(text) as Record<string, unknown>;
  if (typeof callId !== "string" || typeof startedAtMs !== "number") return null;
  return { callId, startedAtMs, microphone: microphone === true, muted: muted === true };
}
