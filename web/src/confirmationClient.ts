import type { ConfirmationEvent } from "./confirmations";
import { config } from "./config";
import {
  CONFIRM_METHOD,
  CONFIRMATIONS_METHOD,
  type CardsShown,
  type Confirmations,
  type ConfirmationVote,
  type PendingConfirmation,
} from "./contract";
import { parse } from "./messages";
import { sleep, within } from "./time";

/** Asks the current agent. */
export type Ask = (method: string, payload: string) => Promise<string>;

/**
 * Brings the agent's questions to the caller, and the answers back.
 *
 * The agent reports every change, but a report may be lost, so the page asks too.
 */
export class ConfirmationClient {
  /** What the agent said last. */
  private pending: readonly PendingConfirmation[] = [];
  /** The ids of the questions that the agent knows to be shown here. */
  private acknowledged = "";
  /** Counts requests and reports, so that an outdated answer is ignored. */
  private revision = 0;
  private readonly clock: ReturnType<typeof setInterval>;
  private readonly refresher: ReturnType<typeof setInterval>;

  constructor(
    private readonly ask: Ask,
    private readonly tell: (event: ConfirmationEvent) => void,
    private readonly over: AbortSignal,
  ) {
    this.clock = setInterval(() => {
      if (this.pending.length > 0) tell({ type: "passed", nowMs: performance.now() });
    }, config.confirmationClockMs);
    this.refresher = setInterval(() => {
      if (this.pending.length > 0) void this.refresh();
    }, config.confirmationRefreshMs);
    over.addEventListener("abort", () => this.stop(), { once: true });
  }

  /** Takes a report from the agent. */
  list({ pending, decided }: Confirmations): void {
    this.revision += 1;
    this.pending = pending;
    this.tell({ type: "listed", pending, decided, nowMs: performance.now() });
    if (pending.length > 0 && this.shown() !== this.acknowledged) void this.refresh();
  }

  /** Asks which questions are open. It also tells the agent that this page shows cards. */
  async open(): Promise<void> {
    for (let tries = 0; tries < config.confirmationTries && !this.over.aborted; tries += 1) {
      if (await this.refresh()) return;
      await sleep(config.confirmationRetryMs);
    }
  }

  /** Sends the caller's answer until there is a reply. */
  async answer({ id, digest }: PendingConfirmation, approved: boolean): Promise<void> {
    this.tell({ type: "answering", id, approved });
    const vote: ConfirmationVote = { id, digest, approved };
    const giveUpAtMs = performance.now() + config.answerWithinMs;
    while (!this.over.aborted && performance.now() < giveUpAtMs) {
      const reply = await this.request(CONFIRM_METHOD, JSON.stringify(vote));
      const result = parse("ConfirmationResult", reply);
      if (result) {
        this.pending = this.pending.filter((question) => question.id !== id);
        this.tell({ type: "settled", id, result: result.state });
        // The question that there is now stays open.
        if (result.state === "changed") await this.refresh();
        return;
      }
      await sleep(config.confirmationRetryMs);
    }
    this.tell({ type: "settled", id, result: "unanswered" });
  }

  private async refresh(): Promise<boolean> {
    this.revision += 1;
    const { revision } = this;
    const payload = this.shown();
    // Whatever comes of it, the refresher tells it again: no request follows from its own answer.
    this.acknowledged = payload;
    const reply = await this.request(CONFIRMATIONS_METHOD, payload);
    const confirmations = parse("Confirmations", reply);
    if (confirmations && revision === this.revision) this.list(confirmations);
    return confirmations !== null;
  }

  /** Which cards the person sees: an answer that is said counts only for those. */
  private shown(): string {
    const seen = document.visibilityState === "hidden" ? [] : this.pending;
    // As many as the agent lists, which are not too many.
    const shown = { shown: seen.map(({ id }) => id) as CardsShown["shown"] };
    return JSON.stringify(shown satisfies CardsShown);
  }

  /** The agent's reply, or an empty text. */
  private async request(method: string, payload: string): Promise<string> {
    try {
      return await within(config.confirmationReplyMs, this.ask(method, payload));
    } catch (error) {
      console.debug("no reply", { method }, error);
      return "";
    }
  }

  private stop(): void {
    clearInterval(this.clock);
    clearInterval(this.refresher);
  }
}
