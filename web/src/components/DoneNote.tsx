import { useEffect } from "react";
import type { ActionsState, Part } from "../storefront/actions";
import { config } from "../config";
import { deed } from "../copy";
import { CheckIcon, CloseIcon } from "./icons";

const WHERE: Partial<Record<string, Part>> = { show_order: "orders", fill_form: "appointment" };

/** What the page did at the agent's suggestion, with a button to undo it. */
export function DoneNote(props: {
  done: ActionsState["done"];
  shown: readonly Part[];
  onOpen: (part: Part) => void;
  onUndo: () => void;
  onDismiss: () => void;
}) {
  const { done, onDismiss } = props;
  const id = done?.request.id;
  useEffect(() => {
    if (id === undefined) return;
    const timer = setTimeout(onDismiss, config.doneNoteMs);
    return () => clearTimeout(timer);
  }, [id, onDismiss]);

  const action = done?.request.action;
  const where = action && WHERE[action.action];
  return (
    <div
      role="status"
      className={action ? "done-note" : "hidden"}
      data-testid="done"
      data-action={action?.action}
    >
      {action && (
        <>
          <CheckIcon />
          <p>{deed(action)}</p>
          {where && !props.shown.includes(where) && (
            <button
              className="button quiet small"
              data-testid="look"
              onClick={() => props.onOpen(where)}
            >
              Show
            </button>
          )}
          {action.action !== "offer_download" && (
            <button className="button quiet small" data-testid="undo" onClick={props.onUndo}>
              Undo
            </button>
          )}
          <button className="button quiet small round" aria-label="Dismiss" onClick={onDismiss}>
            <CloseIcon />
          </button>
        </>
      )}
    </div>
  );
}
