import { BarVisualizer } from "@livekit/components-react";
import type { RemoteAudioTrack } from "livekit-client";
import type { CallState } from "../callState";
import { AGENT_STATE, statusOf } from "../copy";
import { Timer } from "./Timer";

/** The agent: its name, what it is doing, and its sound. */
export function AgentPanel(props: {
  state: CallState;
  /** The agent's own name. */
  name: string;
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
        <p className="agent-name" data-testid="agent-name">
          {props.name}
        </p>
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
