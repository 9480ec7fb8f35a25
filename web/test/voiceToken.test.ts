import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { requestVoiceToken, TokenError } from "../src/voiceToken";

const TOKEN = {
  rtc_url: "ws://127.0.0.1:1",
  token: "a.b.c",
  expires_at: "2026-01-01T00:00:00Z",
};

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A real server on a free port of this machine. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/voice-token`;
}

const answer =
  (status: number, body: string, type = "application/json"): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { "Content-Type": type }).end(body);

const problem = (status: number, code: string, detail = "A sentence.") =>
  answer(
    status,
    JSON.stringify({ type: "about:blank", title: code, status, code, detail }),
    "application/problem+json",
  );

async function failure(address: string, timeoutMs?: number) {
  const abort = new AbortController().signal;
  const error: unknown = await requestVoiceToken(abort, address, timeoutMs).catch((e) => e);
  expect(error).toBeInstanceOf(TokenError);
  return (error as TokenError).failure;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}

test("a place is asked for with an empty JSON object", async () => {
  const seen: unknown[] = [];
  const address = await serve(async (request, response) => {
    seen.push(request.method, request.headers["content-type"], await bodyOf(request));
    response.end(JSON.stringify(TOKEN));
  });
  expect(await requestVoiceToken(new AbortController().signal, address)).toEqual(TOKEN);
  expect(seen).toEqual(["POST", "application/json", "{}"]);
});

test("an SFU that is away has its own failure", async () => {
  expect(await failure(await serve(problem(503, "sfu-unavailable")))).toEqual({
    reason: "sfu-unavailable",
  });
});

test("any other refusal keeps the sentence that may be shown", async () => {
  const address = await serve(problem(503, "agents-busy", "All agents are in calls."));
  expect(await failure(address)).toEqual({ reason: "refused", detail: "All agents are in calls." });
});

test.each([
  ["a fault of the service", problem(500, "internal-error")],
  ["an error page of a proxy", answer(502, "<h1>Bad gateway</h1>", "text/html")],
  ["an answer without a token", answer(200, '{"rtc_url":"ws://x"}')],
  ["an answer that is no JSON", answer(200, "ok")],
])("%s is unexpected", async (_, listener) => {
  expect(await failure(await serve(listener))).toEqual({ reason: "unexpected" });
});

test("a service that cannot be reached is the network's failure", async () => {
  const address = await serve(answer(200, ""));
  closers.splice(0).forEach((close) => close());
  expect(await failure(address)).toEqual({ reason: "network" });
});

test("a service that does not answer is slow", async () => {
  expect(await failure(await serve(() => undefined), 50)).toEqual({ reason: "slow" });
});

test("a caller who gives up is no failure", async () => {
  const address = await serve(() => undefined);
  const abort = new AbortController();
  const asking = requestVoiceToken(abort.signal, address);
  abort.abort();
  await expect(asking).rejects.toMatchObject({ name: "AbortError" });
});
