import { expect, test } from "vitest";
import { transcriptReducer, type Transcript, type TranscriptEvent } from "../src/transcript";

const after = (...events: TranscriptEvent[]): Transcript => events.reduce(transcriptReducer, []);

function heard(
  text: string,
  { side = "caller", segment = "s1", final = false, revision = 1 } = {},
): TranscriptEvent {
  return { type: "heard", side: side as "agent" | "caller", segment, text, final, revision };
}

const texts = (transcript: Transcript) => transcript.map((entry) => entry.text);

test("interim text of a segment is replaced in its place", () => {
  const transcript = after(
    heard("where"),
    heard("Hello", { side: "agent", segment: "a1" }),
    heard("where is", { revision: 2 }),
    heard("Where is order seven?", { revision: 3, final: true }),
  );
  expect(texts(transcript)).toEqual(["Where is order seven?", "Hello"]);
  expect(transcript[0]).toMatchObject({ side: "caller", final: true });
});

test("nothing changes a final segment", () => {
  const transcript = after(heard("Yes.", { final: true }), heard("yes", { revision: 2 }));
  expect(texts(transcript)).toEqual(["Yes."]);
});

test("a stream that was overtaken by a later one changes nothing", () => {
  expect(texts(after(heard("where is", { revision: 2 }), heard("where")))).toEqual(["where is"]);
});

test("both sides may use the same segment id", () => {
  expect(texts(after(heard("Hi"), heard("Hello", { side: "agent" })))).toEqual(["Hi", "Hello"]);
});

test("a segment that ends empty vanishes", () => {
  expect(after(heard("  "))).toEqual([]);
  expect(after(heard("hm"), heard("", { final: true, revision: 2 }))).toEqual([]);
});

test("typed text tells whether it was sent", () => {
  const typed: TranscriptEvent = { type: "typed", id: "t1", text: "Hello" };
  expect(after(typed)).toMatchObject([{ sent: "sending" }]);
  expect(after(typed, { type: "sent", id: "t1", ok: true })).toMatchObject([{ sent: "sent" }]);
  expect(after(typed, { type: "sent", id: "t1", ok: false })).toMatchObject([{ sent: "failed" }]);
});

test("a long call keeps its last 300 entries", () => {
  const events = Array.from({ length: 310 }, (_, index) =>
    heard(`line ${index}`, { segment: `s${index}`, final: true }),
  );
  const transcript = after(...events);
  expect(transcript).toHaveLength(300);
  expect(texts(transcript)[0]).toBe("line 10");
});

test("an entry keeps its first 4,000 characters", () => {
  expect(after(heard("x".repeat(5_000)))[0]?.text).toHaveLength(4_000);
});

test("a new call begins with an empty transcript", () => {
  expect(after(heard("old"), { type: "cleared" })).toEqual([]);
});

test("what is on record replaces what was seen, and later words follow it", () => {
  const lines = [
    { seq: 4, speaker: "agent" as const, text: "Hello.", typed: false },
    { seq: 7, speaker: "caller" as const, text: "Where is order 7?", typed: true },
  ];
  const transcript = after(
    heard("Hello, this"),
    { type: "replayed", lines },
    heard("It is", { side: "agent", segment: "a9" }),
  );
  expect(texts(transcript)).toEqual(["Hello.", "Where is order 7?", "It is"]);
  expect(transcript[0]).toMatchObject({ kind: "speech", side: "agent", final: true });
  expect(transcript[1]).toMatchObject({ kind: "typed", side: "caller", sent: "sent" });
});

test("what comes on record late has its place before what was said since", () => {
  const line = (seq: number, text: string) => ({
    seq,
    speaker: "agent" as const,
    text,
    typed: false,
  });
  const transcript = after(
    { type: "replayed", lines: [line(4, "Hello.")] },
    heard("I am still here. ", { side: "agent", segment: "a9", final: true }),
    {
      type: "completed",
      lines: [line(4, "Hello."), line(9, "Order 8 is"), line(12, "I am still here.")],
    },
  );
  expect(texts(transcript)).toEqual(["Hello.", "Order 8 is", "I am still here. "]);
});
