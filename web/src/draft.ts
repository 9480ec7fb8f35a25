import { TEXT_MAX_CHARS } from "./contract";
import { withStorage } from "./storage";

const KEY = "parley.draft";

/** What the caller wrote and did not send: in this tab it outlives a reload, and the call. */
export function readDraft(): string {
  const draft = withStorage("sessionStorage", (storage) => storage.getItem(KEY));
  return (draft ?? "").slice(0, TEXT_MAX_CHARS);
}

export function keepDraft(text: string): void {
  withStorage("sessionStorage", (storage) => {
    if (text === "") storage.removeItem(KEY);
    else storage.setItem(KEY, text);
  });
}
