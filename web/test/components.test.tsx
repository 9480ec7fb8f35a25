import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import type { Ending } from "../src/callState";
import { EndScreen } from "../src/components/EndScreen";
import { MicrophoneScreen } from "../src/components/MicrophoneScreen";
import { StartScreen } from "../src/components/StartScreen";
import { clock } from "../src/components/Timer";
import { Transcript } from "../src/components/Transcript";
import type { Entry } from "../src/transcript";

const nothing = () => undefined;

const end = (ending: Ending, lost = false) => (
  <EndScreen
    ending={ending}
    lost={lost}
    transcript={[]}
    onCall={nothing}
    onComeBack={nothing}
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

test("the clock shows minutes and seconds, and hours when there are any", () => {
  expect(clock(0)).toBe("0:00");
  expect(clock(247_900)).toBe("4:07");
  expect(clock(3_847_000)).toBe("1:04:07");
});
