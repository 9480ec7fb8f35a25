import type { ActionItem, CallSummary } from "../contract";
import { useFollowUp, type Followed } from "../useFollowUp";
import { inWords } from "../dates";
import { FOLLOW_UP, OUTCOMES } from "../copy";

/** The work after the call: summary, what is left to do, ticket. */
export function FollowUp({ callId }: { callId: string | null }) {
  return <FollowUpView followed={useFollowUp(callId)} />;
}

export function FollowUpView({ followed }: { followed: Followed }) {
  const { state } = followed;
  if (state === "none") return null;
  return (
    <section
      className="follow-up"
      aria-label="Your call summary"
      data-testid="follow-up"
      data-state={state}
    >
      <p className={state === "ready" ? "hidden" : "hint"} role="status">
        {FOLLOW_UP[state]}
      </p>
      {state === "waiting" && (
        <div className="skeleton" aria-hidden="true">
          <span />
          <span />
          <span />
        </div>
      )}
      {"followUp" in followed && (
        <>
          {followed.followUp.summary && <Summary summary={followed.followUp.summary} />}
          <Items title="What happens next" items={followed.followUp.action_items.map(itemText)} />
          {followed.followUp.ticket && (
            <p className="ticket">
              Your ticket number
              <strong data-testid="ticket">{followed.followUp.ticket}</strong>
            </p>
          )}
        </>
      )}
    </section>
  );
}

function Summary({ summary }: { summary: CallSummary }) {
  return (
    <>
      <div className="follow-up-head">
        <h3>{summary.reason || "Your call"}</h3>
        {summary.outcome !== "unknown" && (
          <span className="badge" data-outcome={summary.outcome}>
            {OUTCOMES[summary.outcome]}
          </span>
        )}
      </div>
      <p data-testid="summary">{summary.text}</p>
      <Items title="What was done" items={summary.done} />
      <Items title="Open questions" items={summary.open_questions} />
    </>
  );
}

function Items({ title, items }: { title: string; items: readonly string[] }) {
  if (items.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <ul className="bullets">
        {items.map((item, index) => (
          <li key={index}>{item}</li>
        ))}
      </ul>
    </>
  );
}

function itemText({ text, owner, due }: ActionItem): string {
  const details = [owner, due && `by ${inWords(due)}`].filter(Boolean).join(", ");
  return details ? `${text} (${details})` : text;
}
