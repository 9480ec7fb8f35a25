import { config } from "../config";
import { words } from "../words";
import { KeyboardIcon, MicrophoneIcon, PhoneIcon } from "./icons";
import { Screen } from "./Screen";

export function StartScreen(props: {
  /** After a call the heading takes the focus; a fresh page leaves it to the browser. */
  returning: boolean;
  onCall: (withMicrophone: boolean) => void;
}) {
  const { returning, onCall } = props;
  return (
    <Screen title={`Talk to ${words.name}`} className="start" quiet={!returning}>
      <p className="lead">{words.lead}</p>
      <div className="actions">
        <button
          className="button primary large"
          data-testid="call"
          onClick={() => onCall(true)}
          aria-describedby="microphone-reason"
        >
          <PhoneIcon /> Call now
        </button>
        <button className="button quiet" data-testid="call-by-text" onClick={() => onCall(false)}>
          <KeyboardIcon /> Write instead
        </button>
      </div>
      <p className="reason" id="microphone-reason">
        <MicrophoneIcon />
        Your browser will ask to use the microphone, so that {config.agentName} can hear you. It is
        on only during the call.
      </p>
      <aside className="examples">
        <h3>You can say</h3>
        <ul>
          {words.suggestions.map((suggestion) => (
            <li key={suggestion}>“{suggestion}”</li>
          ))}
        </ul>
      </aside>
    </Screen>
  );
}
