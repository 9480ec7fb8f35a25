import { config } from "./config";
import { ACTION_OUTCOME_METHOD, type ActionReport, type ClientAction } from "./contract";
import { download } from "./download";
import type { Ask } from "./confirmationClient";
import {
  known,
  objection,
  type Action,
  type ActionEvent,
  type ActionName,
  type Suggested,
} from "./storefront/actions";
import { sleep, within } from "./time";

type Outcome = ActionReport["outcome"];

const REMEMBERED = 200;
const DETAIL_MAX_CHARS = 200;
const POLICY: Partial<Record<ActionName, "ask" | "do">> = config.actions;

/** Does what the agent suggests, if the page's own list and the caller allow it. */
export class ClientActions {
  /** The outcome of each, so that none is done twice; null: the caller is being asked. */
  private readonly outcomes = new Map<string, ActionReport | null>();
  private readonly asked = new Map<string, Suggested>();

  constructor(
    private readonly ask: Ask,
    private readonly tell: (event: ActionEvent) => void,
    private readonly over: AbortSignal,
  ) {}

  suggest({ type, id, action: suggested }: ClientAction): void {
    const earlier = this.outcomes.get(id);
    if (earlier !== undefined) {
      if (earlier) void this.report(earlier);
      return;
    }
    const action = known(suggested);
    const wrong = action ? this.refusal(action) : "not known here";
    if (!action || wrong !== null) {
      this.settle(id, "refused", wrong ?? "");
    } else if (POLICY[action.action] === "ask") {
      void this.askPerson({ type, id, action });
    } else {
      this.perform({ type, id, action });
    }
  }

  /** The caller's answer to a suggestion. */
  answer(id: string, yes: boolean): void {
    const request = this.asked.get(id);
    if (!request) return;
    this.close(id);
    if (yes) this.perform(request);
    else this.settle(id, "declined");
  }

  private refusal(action: Action): string | null {
    const policy = POLICY[action.action];
    if (!policy) return "not allowed on this page";
    if (policy === "ask" && this.asked.size >= config.askedMax)
      return "too many suggestions are waiting";
    return objection(action);
  }

  private async askPerson(request: Suggested): Promise<void> {
    this.keep(request.id, null);
    this.asked.set(request.id, request);
    this.tell({ type: "asked", request });
    await sleep(config.askedWithinMs);
    if (!this.asked.has(request.id)) return;
    this.close(request.id);
    this.settle(request.id, "declined", "no answer");
  }

  private close(id: string): void {
    this.asked.delete(id);
    this.tell({ type: "answered", id });
  }

  private perform(request: Suggested): void {
    const { id, action } = request;
    try {
      if (action.action === "offer_download") download(action.filename, action.text);
      this.tell({ type: "done", request });
    } catch (error) {
      this.settle(id, "failed", String(error));
      return;
    }
    this.settle(id, "done");
  }

  private settle(id: string, outcome: Outcome, detail = ""): void {
    const report = { id, outcome, detail: detail.slice(0, DETAIL_MAX_CHARS) };
    this.keep(id, report);
    void this.report(report);
  }

  private async report(report: ActionReport): Promise<void> {
    for (let tries = 0; tries < config.confirmationTries && !this.over.aborted; tries += 1) {
      try {
        await within(
          config.confirmationReplyMs,
          this.ask(ACTION_OUTCOME_METHOD, JSON.stringify(report)),
        );
        return;
      } catch (error) {
        console.debug("an outcome was not reported", report, error);
        await sleep(config.confirmationRetryMs);
      }
    }
  }

  private keep(id: string, report: ActionReport | null): void {
    this.outcomes.set(id, report);
    if (this.outcomes.size > REMEMBERED) {
      for (const oldest of this.outcomes.keys()) {
        this.outcomes.delete(oldest);
        break;
      }
    }
  }
}
