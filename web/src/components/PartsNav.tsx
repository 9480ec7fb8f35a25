import type { Part } from "../storefront/actions";
import { PARTS } from "../copy";

const ORDER: readonly Part[] = ["conversation", "orders", "appointment"];

/** Chooses the part of the page; *news* are those with something that was not looked at. */
export function PartsNav(props: {
  current: Part;
  news: readonly Part[];
  onOpen: (part: Part) => void;
}) {
  return (
    <nav className="parts-nav" aria-label="Parts of the page">
      {ORDER.map((part) => (
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
