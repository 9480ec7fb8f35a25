import { useEffect, useLayoutEffect, useRef } from "react";
import type { Entry, Transcript as Entries } from "../transcript";

/** How far from its end a list may be scrolled and still follow new lines. */
const FOLLOW_WITHIN_PX = 80;

/** Both sides of the conversation. *live*: read aloud by screen readers and kept at its end. */
export function Transcript(props: { entries: Entries; agentName: string; live: boolean }) {
  const { entries, agentName, live } = props;
  const list = useRef<HTMLOListElement>(null);
  const following = useRef(true);
  useLayoutEffect(() => {
    const element = list.current;
    if (live && element && following.current) element.scrollTop = element.scrollHeight;
  }, [entries, live]);
  useEffect(() => {
    const element = list.current;
    if (!live || !element) return;
    // What appears below the list makes it smaller.
    const observer = new ResizeObserver(() => {
      if (following.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [live]);
  return (
    <ol
      ref={list}
      className="transcript"
      data-testid="transcript"
      aria-label="Conversation"
      tabIndex={0}
      {...(live && { role: "log", "aria-live": "polite", "aria-relevant": "additions" })}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        following.current = scrollHeight - scrollTop - clientHeight < FOLLOW_WITHIN_PX;
      }}
    >
      {entries.map((entry) => (
        <Line
          key={isFinal(entry) ? `${entry.id} final` : entry.id}
          entry={entry}
          agentName={agentName}
        />
      ))}
    </ol>
  );
}

/** A final line is a new node, so that screen readers announce it once, and whole. */
function Line({ entry, agentName }: { entry: Entry; agentName: string }) {
  const who = entry.side === "agent" ? agentName : "You";
  const notice = entry.kind === "notice";
  return (
    <li
      className={`line ${notice ? "notice" : `from-${entry.side}`}`}
      data-testid={notice ? "alert" : "transcript-entry"}
      data-side={entry.side}
      data-kind={entry.kind}
      data-final={isFinal(entry)}
      aria-hidden={!isFinal(entry)}
      {...(notice && { role: "alert" })}
    >
      <span className="who">{who}</span>
      <p>{entry.text.trimEnd()}</p>
      {entry.kind === "typed" && entry.sent === "failed" && (
        <span className="not-sent">Not sent. Please write it again.</span>
      )}
    </li>
  );
}

function isFinal(entry: Entry): boolean {
  return entry.kind !== "speech" || entry.final;
}
