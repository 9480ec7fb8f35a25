import { afterEach, expect, test, vi } from "vitest";
import { forget, recall, recallFromAnyTab, remember } from "../src/rememberedCall";

const CALL = { callId: "0198", startedAtMs: 5, microphone: true, muted: true };

function storage(items: Record<string, string> = {}) {
  const kept = new Map(Object.entries(items));
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  };
}

/** What a browser keeps for a tab, and for all of them. */
function browser(items: Record<string, string> = {}) {
  vi.stubGlobal("sessionStorage", storage(items));
  vi.stubGlobal("localStorage", storage(items));
}

afterEach(() => vi.unstubAllGlobals());

test("a call is remembered until it is forgotten", () => {
  browser();
  expect(recall()).toBeNull();
  remember(CALL);
  expect(recall()).toEqual(CALL);
  forget();
  expect(recall()).toBeNull();
  expect(recallFromAnyTab()).toBeNull();
});

test("a new tab is in no call, but knows of the browser's", () => {
  browser();
  remember(CALL);
  vi.stubGlobal("sessionStorage", storage());
  expect(recall()).toBeNull();
  expect(recallFromAnyTab()).toEqual(CALL);
});

test("a tab that ends its call leaves another tab's call alone", () => {
  browser();
  remember(CALL);
  const first = sessionStorage;
  vi.stubGlobal("sessionStorage", storage());
  remember({ ...CALL, callId: "0199" });
  vi.stubGlobal("sessionStorage", first);
  forget();
  expect(recallFromAnyTab()?.callId).toBe("0199");
});

test.each(["", "no JSON", "null", "{}", '{"callId":7,"startedAtMs":5}', '{"callId":"0198"}'])(
  "%j is no call",
  (text) => {
    browser({ "parley.call": text });
    expect(recall()).toBeNull();
  },
);

test("a browser that keeps nothing is no failure", () => {
  const closed = {
    get getItem(): never {
      throw new DOMException("", "SecurityError");
    },
  };
  vi.stubGlobal("sessionStorage", closed);
  vi.stubGlobal("localStorage", closed);
  expect(recall()).toBeNull();
  expect(() => remember(CALL)).not.toThrow();
  expect(() => forget()).not.toThrow();
});
