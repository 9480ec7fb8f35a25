/** Resolves after *durationMs*, or throws the signal's reason. */
export function sleep(durationMs: number, abort?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(abort?.reason as Error);
    };
    if (abort?.aborted) {
      reject(abort.reason as Error);
      return;
    }
    const timer = setTimeout(() => {
      abort?.removeEventListener("abort", stop);
      resolve();
    }, durationMs);
    abort?.addEventListener("abort", stop, { once: true });
  });
}

/** What *promise* resolves to. Throws what it throws, or when it takes longer. */
export async function within<Value>(durationMs: number, promise: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${durationMs} ms`)), durationMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
