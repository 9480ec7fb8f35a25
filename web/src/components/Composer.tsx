import { useEffect, useRef, useState, type SubmitEvent } from "react";
import { config } from "../config";
import { TEXT_MAX_CHARS } from "../contract";
import { keepDraft, readDraft } from "../draft";
import { isFocusIdle } from "../focus";
import { words } from "../words";
import { SendIcon } from "./icons";

/** Writing to the agent, and things to ask. */
export function Composer(props: {
  disabled: boolean;
  /** Takes the focus as soon as it is enabled: the caller has no microphone. */
  focused: boolean;
  onSend: (text: string) => void;
  onTyping: (typing: boolean) => void;
}) {
  const [text, setText] = useState(readDraft);
  const input = useRef<HTMLInputElement>(null);
  const { disabled, focused, onTyping } = props;
  const typing = text.trim() !== "";
  useEffect(() => {
    onTyping(typing);
  }, [typing, onTyping]);
  const write = (next: string) => {
    setText(next);
    keepDraft(next);
  };
  useEffect(() => {
    if (focused && !disabled && isFocusIdle()) input.current?.focus();
  }, [focused, disabled]);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const trimmed = text.trim();
    if (trimmed === "" || disabled) return;
    props.onSend(trimmed);
    write("");
  };

  return (
    <div className="composer">
      <ul className="suggestions" aria-label="Things to ask">
        {words.suggestions.map((suggestion) => (
          <li key={suggestion}>
            <button
              className="chip"
              data-testid="suggestion"
              disabled={disabled}
              onClick={() => props.onSend(suggestion)}
            >
              {suggestion}
            </button>
          </li>
        ))}
      </ul>
      <form onSubmit={submit}>
        <label className="hidden" htmlFor="text">
          Write to {config.agentName}
        </label>
        <input
          id="text"
          ref={input}
          data-testid="text-input"
          value={text}
          maxLength={TEXT_MAX_CHARS}
          autoComplete="off"
          enterKeyHint="send"
          placeholder={disabled ? "Not connected" : "Write a message"}
          disabled={disabled}
          onChange={(event) => write(event.target.value)}
        />
        <button
          className="button primary round"
          data-testid="send"
          aria-label="Send"
          disabled={disabled || !typing}
        >
          <SendIcon />
        </button>
      </form>
    </div>
  );
}
