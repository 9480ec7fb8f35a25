import { useEffect, useRef, useState, type RefObject } from "react";
import { config } from "../config";
import type { Card, Cards } from "../confirmations";
import type { PendingConfirmation } from "../contract";
import { isFocusIdle } from "../focus";
import { announce, RESULTS } from "../copy";
import { QuestionCard } from "./QuestionCard";

/** The agent's questions. A new one is announced once, and never takes the focus from an input. */
export function Questions(props: {
  cards: Cards;
  onAnswer: (question: PendingConfirmation, approved: boolean) => void;
  onDismiss: (id: string) => void;
}) {
  const { cards, onAnswer, onDismiss } = props;
  const elements = useRef(new Map<string, HTMLElement>());
  const announced = useAnnouncement(cards, elements);
  const settled = cards.filter(({ state }) => state.stage === "settled");
  useDismissal(settled, onDismiss);

  const answer = ({ question }: Card, approved: boolean) => {
    const next = cards.find(
      (card) => card.state.stage === "open" && card.question.id !== question.id,
    );
    if (next) elements.current.get(next.question.id)?.focus();
    else leave();
    onAnswer(question, approved);
  };

  return (
    <>
      <p className="hidden" role="alert">
        {announced}
      </p>
      <p className="hidden" role="status">
        {settled.map(({ state }) => (state.stage === "settled" ? RESULTS[state.result] : ""))}
      </p>
      {cards.length > 0 && (
        <section className="questions" aria-label="Questions for you" data-testid="cards">
          {cards.map((card) => (
            <QuestionCard
              key={`${card.question.id} ${card.question.digest}`}
              card={card}
              ref={(element) => {
                if (element) elements.current.set(card.question.id, element);
                else elements.current.delete(card.question.id);
              }}
              onAnswer={(approved) => answer(card, approved)}
              onEscape={leave}
            />
          ))}
        </section>
      )}
    </>
  );
}

/** Moves the focus to the text input, or to the heading. */
function leave(): void {
  const input = document.querySelector<HTMLInputElement>("#text:enabled");
  (input ?? document.getElementById("screen-title"))?.focus();
}

function useAnnouncement(cards: Cards, elements: RefObject<Map<string, HTMLElement>>): string {
  const [announced, setAnnounced] = useState("");
  const known = useRef<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const open = cards.filter(({ state }) => state.stage === "open");
    const fresh = open.filter(({ question }) => !known.current.has(question.digest));
    known.current = new Set(cards.map(({ question }) => question.digest));
    const [first] = fresh;
    if (!first) return;
    setAnnounced(fresh.map(({ question }) => announce(question)).join(" "));
    if (isFocusIdle()) elements.current.get(first.question.id)?.focus();
  }, [cards, elements]);
  return announced;
}

function useDismissal(settled: Cards, onDismiss: (id: string) => void): void {
  const ids = settled.map(({ question }) => question.id).join(" ");
  useEffect(() => {
    if (ids === "") return;
    const timer = setTimeout(() => ids.split(" ").forEach(onDismiss), config.cardResultMs);
    return () => clearTimeout(timer);
  }, [ids, onDismiss]);
}
