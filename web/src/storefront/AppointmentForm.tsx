import { useId, useState, type SubmitEvent } from "react";
import { SendIcon } from "../components/icons";
import { config } from "../config";
import { AGENT } from "../copy";
import { request, type Appointment } from "./actions";

/** Asks the agent for an appointment; the agent may fill it in, the person sends it. */
export function AppointmentForm(props: {
  appointment: Appointment;
  hidden: boolean;
  /** The agent cannot be reached. */
  disabled: boolean;
  onEdit: (appointment: Appointment) => void;
  onSend: (text: string) => void;
}) {
  const { appointment, disabled, onEdit, onSend } = props;
  const id = useId();
  const [sent, setSent] = useState<Appointment | null>(null);
  const text = request(appointment);

  const edit = (change: Partial<Appointment>) => onEdit({ ...appointment, ...change });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!text || disabled) return;
    setSent(appointment);
    onSend(text);
  };

  return (
    <section
      className="part appointment"
      aria-label="Appointment"
      data-testid="appointment"
      hidden={props.hidden}
    >
      <form onSubmit={submit}>
        <p className="hint">
          Fill it in yourself, or tell {config.agentName} when you want to come.
        </p>
        <div className="field">
          <label htmlFor={`${id}-kind`}>What for</label>
          <select
            id={`${id}-kind`}
            data-testid="appointment-kind"
            value={appointment.kind}
            onChange={({ target }) => edit({ kind: target.value as Appointment["kind"] })}
          >
            <option value="">Choose…</option>
            <option value="fitting">Fitting</option>
            <option value="repair">Repair</option>
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}-day`}>Day</label>
          <input
            id={`${id}-day`}
            data-testid="appointment-day"
            type="date"
            value={appointment.day}
            onChange={({ target }) => edit({ day: target.value })}
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}-time`}>Time</label>
          <input
            id={`${id}-time`}
            data-testid="appointment-time"
            type="time"
            step={1_800}
            value={appointment.time}
            onChange={({ target }) => edit({ time: target.value })}
          />
        </div>
        <button
          className="button primary"
          data-testid="appointment-send"
          disabled={!text || disabled}
        >
          <SendIcon /> Send request
        </button>
        <p className="hint" role="status">
          {sent === appointment && `Sent. ${AGENT} answers in the conversation.`}
        </p>
      </form>
    </section>
  );
}
