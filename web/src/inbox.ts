import type { Room, TextStreamReader } from "livekit-client";
import { isCurrentAgent } from "./agent";
import { MESSAGE_MAX_BYTES, MESSAGE_TOPIC, type AgentMessage } from "./contract";
import { parseAgentMessage } from "./messages";
import { growing, whole } from "./textStream";
import type { Side, TranscriptEvent } from "./transcript";

const TRANSCRIPTION_TOPIC = "lk.transcription";
const TRANSCRIPTION_MAX_CHARS = 20_000;

export interface InboxListener {
  transcript(event: TranscriptEvent): void;
  message(message: AgentMessage): void;
}

/** Receives what the agent sends. Everything else is ignored and counted. */
export class Inbox {
  private revisions = 0;
  private ignored = 0;

  constructor(
    private readonly room: Room,
    private readonly listener: InboxListener,
  ) {
    room.registerTextStreamHandler(TRANSCRIPTION_TOPIC, (reader, sender) => {
      void this.readSpeech(reader, sender.identity);
    });
    room.registerTextStreamHandler(MESSAGE_TOPIC, (reader, sender) => {
      void this.readMessage(reader, sender.identity);
    });
  }

  private async readSpeech(reader: TextStreamReader, sender: string): Promise<void> {
    const side = this.sideOf(sender);
    if (!side) {
      this.ignore("transcription", sender);
      return;
    }
    const segment = reader.info.attributes?.["lk.segment_id"] ?? reader.info.id;
    const revision = ++this.revisions;
    const heard = (text: string, final: boolean) =>
      this.listener.transcript({ type: "heard", side, segment, text, final, revision });
    let text = "";
    try {
      for await (text of growing(reader, TRANSCRIPTION_MAX_CHARS)) heard(text, false);
      // The trailer may have changed the attributes.
      heard(text, reader.info.attributes?.["lk.transcription_final"] === "true");
    } catch {
      heard(text, true);
    }
  }

  private sideOf(identity: string): Side | null {
    if (isCurrentAgent(this.room, identity)) return "agent";
    return identity === this.room.localParticipant.identity ? "caller" : null;
  }

  private async readMessage(reader: TextStreamReader, sender: string): Promise<void> {
    const believed = isCurrentAgent(this.room, sender);
    const text = believed ? await whole(reader, MESSAGE_MAX_BYTES).catch(() => "") : "";
    const message = parseAgentMessage(text);
    if (message) this.listener.message(message);
    else this.ignore("message", sender);
  }

  private ignore(what: "message" | "transcription", sender: string): void {
    this.ignored += 1;
    console.debug("ignored", { what, sender, ignored: this.ignored });
  }
}
