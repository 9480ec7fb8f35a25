import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import type { Ending } from "../src/callState";
import type { FollowUp } from "../src/contract";
import { EndScreen } from "../src/components/EndScreen";
import { FollowUpView } from "../src/components/FollowUp";
import { MicrophoneScreen } from "../src/components/MicrophoneScreen";
import { Questions } from "../src/components/Questions";
import { StartScreen } from "../src/components/StartScreen";
import { clock, countdown } from "../src/dates";
import { Transcript } from "../src/components/Transcript";
import type { Entry } from "../src/transcript";
import { question } from "./questions";

const nothing = () => undefined;

const end = (ending: Ending, lost = false) => (
  <EndScreen
    ending={ending}
    callId={null}
    transcript={[]}
    onCall={nothing}
    onComeBack={lost ? nothing : null}
    onLeave={nothing}
  />
);

test("the start gives the reason for the microphone beside the call button", () => {
  const html = renderToStaticMarkup(<StartScreen returning={false} onCall={nothing} />);
  const id = /data-testid="call"[^>]*aria-describedby="([^"]+)"/.exec(html)?.[1];
  expect(html).toMatch(new RegExp(`id="${id}">.*microphone`));
});

test("a refused microphone offers the remedy, another try, and text", () => {
  const html = renderToStaticMarkup(
    <MicrophoneScreen problem="refused" onCall={nothing} onLeave={nothing} />,
  );
  expect(html).toMatch(/role="alert"[^>]*>[^<]*allow the microphone/);
  expect(html).toContain('data-testid="retry"');
  expect(html).toContain('data-testid="call-by-text"');
});

test.each([
  ["unsupported", true],
  ["insecure", false],
] as const)("a page that is %s offers no other try; text: %s", (problem, text) => {
  const html = renderToStaticMarkup(
    <MicrophoneScreen problem={problem} onCall={nothing} onLeave={nothing} />,
  );
  expect(html).not.toContain('data-testid="retry"');
  expect(html.includes('data-testid="call-by-text"')).toBe(text);
});

test("an ending that is a fault is an alert, a goodbye is not", () => {
  const ended = (reason: "agent" | "failed") =>
    renderToStaticMarkup(
      end({ reason }),
    );
  expect(ended("failed")).toContain('role="alert"');
  expect(ended("agent")).not.toContain('role="alert"');
});

test("a refusal shows the service's own sentence", () => {
  const html = renderToStaticMarkup(
    end({ reason: "refused", detail: "All agents are in calls.", retryAfterMs: null }),
  );
  expect(html).toContain("All agents are in calls.");
});

test("a lost call is offered the way back, and a new call", () => {
  const html = renderToStaticMarkup(end({ reason: "connection-lost" }, true));
  expect(html).toContain('data-testid="come-back"');
  expect(html).toContain('data-testid="call"');
  expect(renderToStaticMarkup(end({ reason: "connection-lost" }))).not.toContain("come-back");
});

test("screen readers hear a line of the transcript once it is final", () => {
  const line = (final: boolean): Entry => ({
    id: "caller:s1",
    kind: "speech",
    side: "caller",
    text: "Where is order seven?",
    final,
    revision: 1,
  });
  const interim = renderToStaticMarkup(<Transcript entries={[line(false)]} live />);
  const final = renderToStaticMarkup(<Transcript entries={[line(true)]} live />);
  expect(interim).toContain('aria-live="polite"');
  expect(interim).toMatch(/data-side="caller"[^>]*aria-hidden="true"/);
  expect(final).toMatch(/data-side="caller"[^>]*aria-hidden="false"/);
});

test("what people say is text, never markup", () => {
  const notice: Entry = { id: "n1", kind: "notice", side: "agent", text: "<img src=x>" };
  const html = renderToStaticMarkup(<Transcript entries={[notice]} live />);
  expect(html).toContain("&lt;img src=x&gt;");
  expect(html).toContain('role="alert"');
});

test("a card shows the whole question and all arguments, as text", () => {
  const value = `${"long ".repeat(290)}<b>end</b>`;
  const asked = question("one", { arguments: [{ name: "Reason", value }] });
  const html = renderToStaticMarkup(
    <Questions
      cards={[{ question: asked, expiresAtMs: performance.now() + 42_000, state: { stage: "open" } }]}
      onAnswer={nothing}
      onDismiss={nothing}
    />,
  );
  expect(html).toContain(value.replace("<b>end</b>", "&lt;b&gt;end&lt;/b&gt;"));
  expect(html).toContain("refund_order");
  expect(html).toContain("0:42");
  expect(html).toMatch(/role="group"[^>]*aria-labelledby[^>]*aria-describedby/);
  expect(html).toMatch(/role="alert"/);
});

test("a card that has only just come takes no click", () => {
  const html = renderToStaticMarkup(
    <Questions
      cards={[{ question: question("one"), expiresAtMs: Infinity, state: { stage: "open" } }]}
      onAnswer={nothing}
      onDismiss={nothing}
    />,
  );
  expect(html).toMatch(/data-testid="approve" disabled/);
});

test("a limit says when the next call may begin, and holds the button until then", () => {
  const html = (retryAfterMs: number) =>
    renderToStaticMarkup(end({ reason: "rate-limited", detail: "", retryAfterMs }));
  expect(html(42_000)).toContain("in 0:42");
  expect(html(42_000)).toMatch(/data-testid="call" disabled/);
  expect(html(0)).not.toMatch(/data-testid="call" disabled/);
});

test("who is not signed in is asked to sign in", () => {
  const ending = { reason: "sign-in-required", detail: "", retryAfterMs: null } as const;
  expect(renderToStaticMarkup(end(ending))).toContain('data-testid="sign-in"');
});

test("what came of a call has a wait, a failure, and its ticket", () => {
  const view = (followed: Parameters<typeof FollowUpView>[0]["followed"]) =>
    renderToStaticMarkup(<FollowUpView followed={followed} />);
  expect(view({ state: "none" })).toBe("");
  expect(view({ state: "waiting" })).toContain("Writing down");
  const followUp = {
    state: "ready",
    summary: {
      reason: "A refund",
      outcome: "unresolved",
      text: "The caller wants a refund.",
      done: ["Looked up order 9"],
      open_questions: ["When was it paid?"],
      sentiment: null,
    },
    action_items: [{ text: "Call back", owner: "the shop", due: "2026-11-27", evidence: [4] }],
    ticket: "T-17",
  } as const;
  const ready = view({ state: "ready", followUp: followUp as unknown as FollowUp });
  for (const words of ["A refund", "Still open", "Looked up order 9", "When was it paid?", "T-17"]) {
    expect(ready).toContain(words);
  }
  expect(ready).toContain("Call back (the shop, by Friday, November 27)");
  const failed = { ...followUp, state: "failed", summary: null } as unknown as FollowUp;
  expect(view({ state: "failed", followUp: failed })).toMatch(/A person will look.*T-17/s);
});

test("the clock shows minutes and seconds, and hours when there are any", () => {
  expect(clock(0)).toBe("0:00");
  expect(clock(247_900)).toBe("4:07");
  expect(clock(3_847_000)).toBe("1:04:07");
});

test("the time left is over only when it is", () => {
  expect(countdown(41_001)).toBe("0:42");
  expect(countdown(1)).toBe("0:01");
  expect(countdown(0)).toBe("0:00");
});
