import { BarVisualizer } from "@livekit/components-react";
import type { RemoteAudioTrack } from "livekit-client";
import type { CallState } from "../callState";
import { config } from "../config";
import { AGENT_STATE, statusOf } from "../copy";
import { Timer } from "./Timer";

/** Who is on the line, what it does, and how it sounds. */
export function AgentPanel(props: {
  state: CallState;
  track: RemoteAudioTrack | null;
  /** When the call began, by this machine's clock. */
  startedAtMs: number | null;
}) {
  const { state, track } = props;
  const agentState = state.phase === "in-call" && !state.reconnecting ? state.agentState : null;
  return (
    <div className="agent" data-state={agentState ?? "absent"}>
      <BarVisualizer
        className="visualizer"
        aria-hidden="true"
        barCount={7}
        options={{ minHeight: 7, maxHeight: 52 }}
        state={agentState ?? "connecting"}
        {...(track && { track })}
      />
      <div className="agent-facts">
        <p className="agent-name">{config.shopName}</p>
        {agentState && (
          <p className="agent-state" data-testid="agent-state" data-state={agentState}>
            {AGENT_STATE[agentState]}
          </p>
        )}
        <p className="status" role="status" data-testid="status">
          {statusOf(state)}
        </p>
        <Timer startedAtMs={props.startedAtMs} />
      </div>
    </div>
  );
}
