import { afterEach, expect, test, vi } from "vitest";
import { forget, recall, remember } from "../src/rememberedCall";

const CALL = { callId: "0198", startedAtMs: 5, microphone: true, muted: true };

/** What a tab keeps. */
function storage(items: Record<string, string> = {}) {
  const kept = new Map(Object.entries(items));
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  return kept;
}

afterEach(() => vi.unstubAllGlobals());

test("a call is remembered until it is forgotten", () => {
  storage();
  expect(recall()).toBeNull();
  remember(CALL);
  expect(recall()).toEqual(CALL);
  forget();
  expect(recall()).toBeNull();
});

test.each(["", "no JSON", "null", "{}", '{"callId":7,"startedAtMs":5}', '{"callId":"0198"}'])(
  "%j is no call",
  (text) => {
    storage({ "parley.call": text });
    expect(recall()).toBeNull();
  },
);

test("a browser that keeps nothing is no failure", () => {
  vi.stubGlobal("sessionStorage", {
    get getItem(): never {
      throw new DOMException("", "SecurityError");
    },
  });
  expect(recall()).toBeNull();
  expect(() => remember(CALL)).not.toThrow();
  expect(() => forget()).not.toThrow();
});
