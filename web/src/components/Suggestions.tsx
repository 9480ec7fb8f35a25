import { suggestion } from "../copy";
import type { Suggested } from "../storefront/actions";
import { FileIcon } from "./icons";

/** What the agent suggests that the page should do, where the caller is asked first. */
export function Suggestions(props: {
  asked: readonly Suggested[];
  onAnswer: (id: string, yes: boolean) => void;
}) {
  return (
    <div role="status" className={props.asked.length > 0 ? "questions" : "hidden"}>
      {props.asked.map((request) => (
        <Suggestion
          key={request.id}
          request={request}
          onAnswer={(yes) => props.onAnswer(request.id, yes)}
        />
      ))}
    </div>
  );
}

function Suggestion(props: { request: Suggested; onAnswer: (yes: boolean) => void }) {
  const { id, action } = props.request;
  const { title, text, yes } = suggestion(action);
  return (
    <article
      className="question suggested"
      role="group"
      aria-labelledby={`suggested-${id}`}
      data-testid="suggested"
      data-action={action.action}
    >
      <h3 id={`suggested-${id}`}>{title}</h3>
      <p>{text}</p>
      {action.action === "offer_download" && (
        <details>
          <summary>Preview</summary>
          <pre tabIndex={0}>{action.text}</pre>
        </details>
      )}
      <div className="actions">
        <button
          className="button primary"
          data-testid="accept"
          onClick={() => props.onAnswer(true)}
        >
          {action.action === "offer_download" && <FileIcon />} {yes}
        </button>
        <button className="button" data-testid="refuse" onClick={() => props.onAnswer(false)}>
          Not now
        </button>
      </div>
    </article>
  );
}
