import type { CallSession } from "../callSession";
import type { CallState } from "../callState";
import { config } from "../config";
import type { Media } from "../media";
import type { Transcript as Entries } from "../transcript";
import { AgentPanel } from "./AgentPanel";
import { CallAlerts } from "./CallAlerts";
import { Composer } from "./Composer";
import { Controls } from "./Controls";
import { Screen } from "./Screen";
import { Transcript } from "./Transcript";

/** The call itself: the agent on one side, the conversation on the other. */
export function CallScreen(props: {
  state: CallState;
  transcript: Entries;
  media: Media;
  session: CallSession;
  onRetry: () => void;
  onLeave: () => void;
}) {
  const { state, transcript, media, session } = props;
  const reachable = state.phase === "in-call" && !state.reconnecting;
  return (
    <Screen title={`Call with ${config.shopName}`} className="call">
      <AgentPanel
        state={state}
        track={media.agentTrack}
        startedAtMs={session.call?.startedAtMs ?? null}
      />
      <div className="conversation">
        <CallAlerts {...props} />
        <Transcript entries={transcript} live />
        {transcript.length === 0 && (
          <p className="empty">What you both say will appear here.</p>
        )}
        <Composer
          disabled={!reachable}
          focused={media.microphone === null}
          onSend={(text) => void session.sendText(text)}
        />
      </div>
      <Controls session={session} media={media} disabled={state.phase === "hanging-up"} />
    </Screen>
  );
}
