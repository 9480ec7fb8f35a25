import { useEffect, useId, useState, type KeyboardEvent, type Ref } from "react";
import { config } from "../config";
import type { Card } from "../confirmations";
import { countdown } from "../dates";
import { useNow } from "../useNow";
import { RESULTS } from "../copy";
import { CheckIcon, ClockIcon, CloseIcon } from "./icons";

const URGENT_MS = 10_000;

/** One of the agent's questions in full, with yes and no. Only its buttons answer it. */
export function QuestionCard(props: {
  card: Card;
  ref: Ref<HTMLElement>;
  onAnswer: (approved: boolean) => void;
  /** Esc: leaves the card without an answer. */
  onEscape: () => void;
}) {
  const { card, ref } = props;
  const { question, state, expiresAtMs } = card;
  const id = useId();
  const settling = useSettling();
  const open = state.stage === "open";
  const escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    props.onEscape();
  };
  return (
    <article
      ref={ref}
      className="question"
      role="group"
      tabIndex={-1}
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-arguments`}
      data-testid="card"
      data-stage={state.stage}
      data-result={state.stage === "settled" ? state.result : undefined}
      onKeyDown={escape}
    >
      <div className="question-head">
        <h3 id={`${id}-title`}>
          <bdi>{question.title}</bdi>
        </h3>
        {open && <Countdown untilMs={expiresAtMs} />}
      </div>
      <dl className="facts" id={`${id}-arguments`}>
        {question.arguments.map(({ name, value }, index) => (
          <div key={index}>
            <dt>
              <bdi>{name}</bdi>
            </dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
        <div>
          <dt>Action</dt>
          <dd>
            <code>{question.tool}</code>
          </dd>
        </div>
      </dl>
      {state.stage === "settled" ? (
        <p className="question-result">
          {state.result === "approved" ? <CheckIcon /> : <CloseIcon />}
          {RESULTS[state.result]}
        </p>
      ) : (
        <div className="actions">
          <button
            className="button primary"
            data-testid="approve"
            disabled={!open || settling}
            onClick={() => props.onAnswer(true)}
          >
            <CheckIcon />
            {state.stage === "answering" && state.approved ? "Sending yes…" : "Yes, do it"}
          </button>
          <button
            className="button"
            data-testid="decline"
            disabled={!open || settling}
            onClick={() => props.onAnswer(false)}
          >
            <CloseIcon />
            {state.stage === "answering" && !state.approved ? "Sending no…" : "No"}
          </button>
        </div>
      )}
    </article>
  );
}

function Countdown({ untilMs }: { untilMs: number }) {
  const leftMs = Math.max(0, untilMs - useNow());
  return (
    <span
      className="countdown"
      role="timer"
      aria-label="Time left to answer"
      data-testid="countdown"
      data-urgent={leftMs < URGENT_MS}
    >
      <ClockIcon /> {countdown(leftMs)}
    </span>
  );
}

/** Whether the card has only just appeared. */
function useSettling(): boolean {
  const [settling, setSettling] = useState(true);
  useEffect(() => {
    const timer = setTimeout(() => setSettling(false), config.cardSettlesMs);
    return () => clearTimeout(timer);
  }, []);
  return settling;
}
