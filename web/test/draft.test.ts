import { afterEach, expect, test, vi } from "vitest";
import { TEXT_MAX_CHARS } from "../src/contract";
import { keepDraft, readDraft } from "../src/draft";

afterEach(() => vi.unstubAllGlobals());

function tab() {
  const kept = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
}

test("what was written and not sent is there again, until it is sent", () => {
  tab();
  expect(readDraft()).toBe("");
  keepDraft("where is order");
  expect(readDraft()).toBe("where is order");
  keepDraft("");
  expect(readDraft()).toBe("");
});

test("a draft is never longer than what may be sent", () => {
  tab();
  keepDraft("a".repeat(TEXT_MAX_CHARS + 10));
  expect(readDraft()).toHaveLength(TEXT_MAX_CHARS);
});

test("a browser that stores nothing has no draft, and no error", () => {
  vi.stubGlobal("sessionStorage", null);
  keepDraft("where is order");
  expect(readDraft()).toBe("");
});
