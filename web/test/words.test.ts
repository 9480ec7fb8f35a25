import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { config } from "../src/config";
import { loadWords, words } from "../src/words";

const OWN = { ...words };
const NONE = { name: null, lead: null, suggestions: null, parts: null };
const closers: (() => void)[] = [];
beforeEach(() => void Object.assign(words, OWN));
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A real server on a free port of this machine. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/page`;
}

const answer =
  (body: unknown, status = 200): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(JSON.stringify(body));

test("the agent's words replace the page's own, and only those that there are", async () => {
  await loadWords(await serve(answer({ ...NONE, name: "The House", suggestions: ["Knock"] })));
  expect(words).toEqual({ ...OWN, name: "The House", suggestions: ["Knock"] });
  expect(words.lead).toBe(config.lead);
});

test.each([
  ["an answer that is not in the contract", answer({ ...NONE, name: 7 })],
  ["a refusal", answer({ ...NONE, name: "Other" }, 500)],
  ["no answer in time", () => undefined],
])("%s leaves the page its own words", async (_, listener) => {
  await loadWords(await serve(listener), 200);
  expect(words).toEqual(OWN);
});
