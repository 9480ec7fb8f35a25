/** A browser that stores nothing for pages throws when the storage is read. */
export function withStorage<Value>(
  which: "sessionStorage" | "localStorage",
  by: (storage: Storage) => Value,
): Value | undefined {
  try {
    return by(globalThis[which]);
  } catch {
    return undefined;
  }
}
