import type { Part } from "../storefront/actions";
import { PARTS } from "../copy";
import { words } from "../words";

const ORDER: readonly Part[] = ["conversation", "orders", "appointment"];

/** Chooses the part of the page; *news* are those with something that was not looked at. */
export function PartsNav(props: {
  current: Part;
  news: readonly Part[];
  onOpen: (part: Part) => void;
}) {
  const shown = ORDER.filter((part) => words.parts.includes(part));
  if (shown.length < 2) return null;
  return (
    <nav className="parts-nav" aria-label="Parts of the page">
      {shown.map((part) => (
        <button
          key={part}
          className="part-tab"
          data-testid={`open-${part}`}
          aria-current={part === props.current}
          onClick={() => props.onOpen(part)}
        >
          {PARTS[part]}
          {props.news.includes(part) && (
            <span className="news" data-testid="news">
              <span className="hidden">, new</span>
            </span>
          )}
        </button>
      ))}
    </nav>
  );
}
