import { useState } from "react";
import { inRoom } from "../callState";
import { config } from "../config";
import { useCall } from "../useCall";
import { AGENT } from "../copy";
import { words } from "../words";
import { CallScreen } from "./CallScreen";
import { EndScreen } from "./EndScreen";
import { Logo } from "./icons";
import { MicrophoneScreen } from "./MicrophoneScreen";
import { QueueScreen } from "./QueueScreen";
import { StartScreen } from "./StartScreen";
import { WaitScreen } from "./WaitScreen";

export function App() {
  const { lost, begin, comeBack, leave, ...call } = useCall();
  const { state, transcript, media, session } = call;
  const [returning, setReturning] = useState(false);
  if (state.phase !== "idle" && !returning) setReturning(true);
  return (
    <div className="app">
      <header className="masthead">
        <h1 className="brand">
          <Logo />
          {config.productName}
        </h1>
      </header>
      <main className="stage" data-testid="screen" data-phase={state.phase}>
        {state.phase === "idle" && <StartScreen returning={returning} onCall={begin} />}
        {state.phase === "microphone-problem" && (
          <MicrophoneScreen problem={state.problem} onCall={begin} onLeave={leave} />
        )}
        {(state.phase === "asking-microphone" ||
          state.phase === "requesting-call" ||
          state.phase === "connecting") && <WaitScreen state={state} onLeave={leave} />}
        {session && (inRoom(state) || state.phase === "hanging-up") && (
          <CallScreen
            {...call}
            session={session}
            onRetry={() => begin(media.microphone !== null)}
            onLeave={leave}
          />
        )}
        {state.phase === "queueing" && (
          <QueueScreen retryAtMs={state.retryAtMs} position={state.position} onLeave={leave} />
        )}
        {state.phase === "ended" && (
          <EndScreen
            key={state.ending.reason}
            ending={state.ending}
            callId={session?.call?.callId ?? null}
            transcript={transcript}
            agentName={media.agentName ?? words.name}
            onCall={begin}
            onComeBack={lost && (() => comeBack(lost))}
            onLeave={leave}
          />
        )}
      </main>
      <footer className="footnote">{AGENT} is a machine. It hears you only during a call.</footer>
    </div>
  );
}
