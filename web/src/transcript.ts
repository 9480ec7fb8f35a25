import type { TranscriptLine } from "./contract";

export type Side = "agent" | "caller";

export type Entry =
  | { id: string; kind: "speech"; side: Side; text: string; final: boolean; revision: number }
  | { id: string; kind: "typed"; side: "caller"; text: string; sent: "sending" | "sent" | "failed" }
  | { id: string; kind: "notice"; side: "agent"; text: string };

export type Transcript = readonly Entry[];

export type TranscriptEvent =
  | { type: "cleared" }
  /** The recorded lines replace what this page saw. */
  | { type: "replayed"; lines: readonly TranscriptLine[] }
  /** Lines recorded since then, from before this page was back. */
  | { type: "completed"; lines: readonly TranscriptLine[] }
  | {
      type: "heard";
      side: Side;
      /** LiveKit's `lk.segment_id`. */
      segment: string;
      text: string;
      final: boolean;
      /** Counts the streams as they arrive: a later stream of a segment replaces an earlier. */
      revision: number;
    }
  | { type: "typed"; id: string; text: string }
  | { type: "sent"; id: string; ok: boolean }
  | { type: "noticed"; id: string; text: string };

const MAX_ENTRIES = 300;
const MAX_ENTRY_CHARS = 4_000;

export function transcriptReducer(transcript: Transcript, event: TranscriptEvent): Transcript {
  switch (event.type) {
    case "cleared":
      return [];
    case "replayed":
      return event.lines.reduce<Transcript>((before, line) => put(before, onRecord(line)), []);
    case "completed":
      return completed(transcript, event.lines.map(onRecord));
    case "heard":
      return heard(transcript, event);
    case "typed":
      return put(transcript, {
        id: event.id,
        kind: "typed",
        side: "caller",
        text: event.text,
        sent: "sending",
      });
    case "sent":
      return transcript.map((entry) =>
        entry.id === event.id && entry.kind === "typed"
          ? { ...entry, sent: event.ok ? "sent" : "failed" }
          : entry,
      );
    case "noticed":
      return put(transcript, { id: event.id, kind: "notice", side: "agent", text: event.text });
  }
}

function heard(
  transcript: Transcript,
  { side, segment, text, final, revision }: Extract<TranscriptEvent, { type: "heard" }>,
): Transcript {
  // The sides choose their segment ids independently of each other.
  const id = `${side}:${segment}`;
  const known = transcript.find((entry) => entry.id === id);
  if (known?.kind === "speech" && (known.final || known.revision > revision)) return transcript;
  if (text.trim() === "") {
    return final ? transcript.filter((entry) => entry.id !== id) : transcript;
  }
  return put(transcript, { id, kind: "speech", side, text, final, revision });
}

const RECORD = "record:";

function completed(transcript: Transcript, record: readonly Entry[]): Transcript {
  const missing = record.filter(
    ({ id, side, text }) =>
      !transcript.some(
        (entry) =>
          entry.id === id ||
          (!entry.id.startsWith(RECORD) &&
            entry.side === side &&
            entry.text.trim() === text.trim()),
      ),
  );
  const live = transcript.findLastIndex(({ id }) => id.startsWith(RECORD)) + 1;
  return transcript.toSpliced(live, 0, ...missing).slice(-MAX_ENTRIES);
}

function onRecord({ seq, speaker: side, text, typed }: TranscriptLine): Entry {
  const id = `${RECORD}${seq}`;
  if (typed && side === "caller") return { id, kind: "typed", side, text, sent: "sent" };
  return { id, kind: "speech", side, text, final: true, revision: 0 };
}

/** Replaces the entry with the same id, or appends it; drops the oldest beyond the limit. */
function put(transcript: Transcript, entry: Entry): Transcript {
  const bounded = { ...entry, text: entry.text.slice(0, MAX_ENTRY_CHARS) };
  const at = transcript.findIndex((known) => known.id === entry.id);
  if (at >= 0) return transcript.with(at, bounded);
  return [...transcript, bounded].slice(-MAX_ENTRIES);
}
