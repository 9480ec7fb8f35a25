import { afterEach, expect, test, vi } from "vitest";
import { microphoneProblem, openMicrophone } from "../src/microphone";

afterEach(() => vi.unstubAllGlobals());

test.each([
  ["NotAllowedError", "refused"],
  ["NotFoundError", "missing"],
  ["NotReadableError", "in-use"],
  ["AbortError", "unknown"],
])("%s means %s", (name, problem) => {
  expect(microphoneProblem(new DOMException("", name))).toBe(problem);
});

test("a page that came over plain HTTP is told so", async () => {
  vi.stubGlobal("isSecureContext", false);
  expect(await openMicrophone()).toBe("insecure");
});

test("a browser without media devices has no microphone to give", async () => {
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("navigator", {});
  expect(await openMicrophone()).toBe("unsupported");
});
