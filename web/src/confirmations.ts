import type { ConfirmationResult, DecidedConfirmation, PendingConfirmation } from "./contract";

/**
 * How a question ended. `closed`: the agent does not say how. `approved-aloud`, `declined-aloud`:
 * said or typed. `unanswered`: the agent did not reply to the caller's answer.
 */
export type CardResult =
  | ConfirmationResult["state"]
  | DecidedConfirmation["state"]
  | "approved-aloud"
  | "declined-aloud"
  | "closed"
  | "unanswered";

export type CardState =
  | { stage: "open" }
  /** The caller's answer is on its way. */
  | { stage: "answering"; approved: boolean }
  | { stage: "settled"; result: CardResult };

export interface Card {
  question: PendingConfirmation;
  /** By `performance.now()`. */
  expiresAtMs: number;
  state: CardState;
}

export type Cards = readonly Card[];

export type ConfirmationEvent =
  /** All open questions, from the agent. */
  | {
      type: "listed";
      pending: readonly PendingConfirmation[];
      /** Those that were decided last. */
      decided: readonly DecidedConfirmation[];
      nowMs: number;
    }
  | { type: "answering"; id: string; approved: boolean }
  | { type: "settled"; id: string; result: CardResult }
  | { type: "passed"; nowMs: number }
  /** A settled card was shown long enough. */
  | { type: "dismissed"; id: string }
  | { type: "cleared" };

export function confirmationsReducer(cards: Cards, event: ConfirmationEvent): Cards {
  switch (event.type) {
    case "listed":
      return listed(cards, event.pending, event.decided, event.nowMs);
    case "answering":
      return cards.map((card) =>
        card.question.id === event.id && card.state.stage === "open"
          ? { ...card, state: { stage: "answering", approved: event.approved } }
          : card,
      );
    case "settled":
      return cards.map((card) =>
        card.question.id === event.id ? settle(card, event.result) : card,
      );
    case "passed":
      return cards.some((card) => isPast(card, event.nowMs))
        ? cards.map((card) => (isPast(card, event.nowMs) ? settle(card, "expired") : card))
        : cards;
    case "dismissed":
      return cards.filter(
        (card) => card.question.id !== event.id || card.state.stage !== "settled",
      );
    case "cleared":
      return [];
  }
}

/** The agent's list counts: what is no longer on it was closed elsewhere. */
function listed(
  cards: Cards,
  pending: readonly PendingConfirmation[],
  decided: readonly DecidedConfirmation[],
  nowMs: number,
): Cards {
  const kept = cards.map((card) => {
    const question = pending.find(({ id }) => id === card.question.id);
    if (question) return renew(card, question, nowMs);
    const ending = decided.find(({ id }) => id === card.question.id);
    return card.state.stage === "open" ? settle(card, resultOf(ending)) : card;
  });
  const fresh = pending
    .filter(({ id }) => !cards.some((card) => card.question.id === id))
    .map((question) => open(question, nowMs));
  return [...kept, ...fresh];
}

function resultOf(ending: DecidedConfirmation | undefined): CardResult {
  if (!ending) return "closed";
  const { state, by } = ending;
  const aloud = by === "voice" || by === "text";
  return aloud && (state === "approved" || state === "declined") ? `${state}-aloud` : state;
}

function open(question: PendingConfirmation, nowMs: number): Card {
  return { question, expiresAtMs: nowMs + question.expires_in_ms, state: { stage: "open" } };
}

function renew(card: Card, question: PendingConfirmation, nowMs: number): Card {
  const { state } = card;
  const answered =
    state.stage === "answering" ||
    (state.stage === "settled" && state.result !== "closed" && state.result !== "expired");
  // An answer to the question as it was is not an answer to a changed one.
  const same = question.digest === card.question.digest;
  return same && answered ? { ...open(question, nowMs), state } : open(question, nowMs);
}

function settle(card: Card, result: CardResult): Card {
  return card.state.stage === "settled" ? card : { ...card, state: { stage: "settled", result } };
}

/** An answer that is being sent may have been in time. */
function isPast({ state, expiresAtMs }: Card, nowMs: number): boolean {
  return state.stage === "open" && expiresAtMs <= nowMs;
}
