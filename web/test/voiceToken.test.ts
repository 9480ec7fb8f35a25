import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { config } from "../src/config";
import {
  callOf,
  queueDelay,
  queuePosition,
  requestVoiceToken,
  TokenError,
  type Refusal,
} from "../src/voiceToken";

const TOKEN = {
  rtc_url: "ws://127.0.0.1:1",
  token: "a.b.c",
  expires_at: "2026-01-01T00:00:00Z",
};

const closers: (() => void)[] = [];
afterEach(() => {
  closers.splice(0).forEach((close) => close());
  vi.restoreAllMocks();
});

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
  (
    status: number,
    body: string,
    type = "application/json",
    headers: Record<string, string> = {},
  ): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { "Content-Type": type, ...headers }).end(body);

const problem = (
  status: number,
  code: string,
  detail = "A sentence.",
  headers: Record<string, string> = {},
) =>
  answer(
    status,
    JSON.stringify({ type: "about:blank", title: code, status, code, detail }),
    "application/problem+json",
    headers,
  );

async function failure(address: string, timeoutMs?: number) {
  const abort = new AbortController().signal;
  const error: unknown = await requestVoiceToken(abort, null, address, timeoutMs).catch(
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(TokenError);
  return (error as TokenError).failure;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}

test("a token is asked for with an empty JSON object", async () => {
  const seen: unknown[] = [];
  const address = await serve(async (request, response) => {
    seen.push(request.method, request.headers["content-type"], await bodyOf(request));
    response.end(JSON.stringify(TOKEN));
  });
  const { signal } = new AbortController();
  expect(await requestVoiceToken(signal, null, address)).toEqual(TOKEN);
  expect(seen).toEqual(["POST", "application/json", "{}"]);
});

test("a token for a known call is asked for by its id", async () => {
  const seen: string[] = [];
  const address = await serve(async (request, response) => {
    seen.push(await bodyOf(request));
    response.end(JSON.stringify(TOKEN));
  });
  await requestVoiceToken(new AbortController().signal, "0198", address);
  expect(seen).toEqual(['{"call_id":"0198"}']);
});

test.each([
  "agents-busy",
  "call-ended",
  "call-not-found",
  "captcha-required",
  "captcha-unavailable",
  "daily-limit",
  "network-busy",
  "not-allowed",
  "rate-limited",
  "record-unavailable",
  "service-busy",
  "sfu-unavailable",
  "sign-in-required",
  "sign-in-unavailable",
  "tenant-limit",
  "too-many-calls",
])("%s has its own failure", async (code) => {
  const address = await serve(problem(503, code, "A sentence.", { "Retry-After": "7" }));
  expect(await failure(address)).toEqual({
    reason: code,
    detail: "A sentence.",
    retryAfterMs: 7_000,
  });
});

test("the position in the queue is known where the service tells it", async () => {
  const busy = { code: "agents-busy", detail: "", type: "about:blank", title: "", status: 503 };
  for (const [body, position] of [
    [{ ...busy, position: 3 }, 3],
    [busy, null],
  ] as const) {
    const address = await serve(answer(503, JSON.stringify(body), "application/problem+json"));
    const error: unknown = await requestVoiceToken(
      new AbortController().signal,
      null,
      address,
    ).catch((thrown: unknown) => thrown);
    expect(queuePosition(error)).toBe(position);
  }
});

test("any other refusal keeps the sentence that may be shown", async () => {
  const address = await serve(problem(409, "closed-today", "We are closed today."));
  expect(await failure(address)).toEqual({
    reason: "refused",
    detail: "We are closed today.",
    retryAfterMs: null,
  });
});

test("a time to come back may be a date", async () => {
  const inAMinute = new Date(Date.now() + 60_000).toUTCString();
  const address = await serve(problem(429, "daily-limit", "", { "Retry-After": inAMinute }));
  const { retryAfterMs } = (await failure(address)) as { retryAfterMs: number };
  expect(retryAfterMs).toBeGreaterThan(55_000);
  expect(retryAfterMs).toBeLessThanOrEqual(60_000);
});

test("the queue waits as long as the server asks, within bounds, and for places alone", () => {
  const delay = (reason: Refusal["reason"], retryAfterMs: number | null, queueing = false) =>
    queueDelay(new TokenError({ reason, detail: "", retryAfterMs }), queueing);
  expect(delay("agents-busy", 5_000)).toBe(5_000);
  expect(delay("service-busy", 5_000, true)).toBe(5_000);
  expect(delay("network-busy", 5_000)).toBe(5_000);
  expect(delay("tenant-limit", 5_000)).toBe(5_000);
  expect(delay("agents-busy", 0)).toBe(1_000);
  expect(delay("agents-busy", null)).toBe(1_000);
  expect(delay("agents-busy", 3_600_000)).toBe(60_000);
  expect(delay("rate-limited", 5_000)).toBeNull();
  expect(delay("rate-limited", 5_000, true)).toBe(5_000);
  expect(delay("daily-limit", 5_000, true)).toBeNull();
  expect(queueDelay(new TokenError({ reason: "network" }), true)).toBeNull();
  expect(queueDelay(new Error(), true)).toBeNull();
});

test("a proxy's own 401 asks to sign in", async () => {
  const address = await serve(answer(401, "<h1>Sign in</h1>", "text/html"));
  expect(await failure(address)).toMatchObject({ reason: "sign-in-required" });
});

test("the caller's access token is sent where there is one", async () => {
  const seen: unknown[] = [];
  const address = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.end(JSON.stringify(TOKEN));
  });
  const { signal } = new AbortController();
  await requestVoiceToken(signal, null, address);
  vi.spyOn(config, "accessToken").mockReturnValue("e30.x.y");
  await requestVoiceToken(signal, null, address);
  expect(seen).toEqual([undefined, "Bearer e30.x.y"]);
});

test("a token names its call", () => {
  const token = (payload: unknown) =>
    `e30.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.x`;
  expect(callOf(token({ video: { room: "0198-7" }, name: "Zoë?>" }))).toBe("0198-7");
  expect(callOf(token({}))).toBeNull();
  expect(callOf("a.b.c")).toBeNull();
  expect(callOf("")).toBeNull();
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
  const asking = requestVoiceToken(abort.signal, null, address);
  abort.abort();
  await expect(asking).rejects.toMatchObject({ name: "AbortError" });
});
