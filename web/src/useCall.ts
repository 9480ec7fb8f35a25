import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import { CallSession, NO_MEDIA, type Media } from "./callSession";
import { callReducer, IDLE } from "./callState";
import { config } from "./config";
import { transcriptReducer } from "./transcript";

const merge = (media: Media, change: Partial<Media>): Media => ({ ...media, ...change });

/** The page's one call: what it is doing, what was said, and what the caller can do. */
export function useCall() {
  const [state, dispatch] = useReducer(callReducer, IDLE);
  const [transcript, transcribe] = useReducer(transcriptReducer, []);
  const [media, setMedia] = useReducer(merge, NO_MEDIA);
  const [session, setSession] = useState<CallSession | null>(null);
  const current = useRef<CallSession | null>(null);

  const replace = useCallback((next: CallSession | null) => {
    current.current?.leave();
    current.current = next;
    setSession(next);
    setMedia(NO_MEDIA);
    dispatch({ type: "left" });
  }, []);

  const begin = useCallback(
    (withMicrophone: boolean) => {
      const whenCurrent =
        <Value>(tell: (value: Value) => void) =>
        (value: Value) => {
          if (current.current === next) tell(value);
        };
      const next: CallSession = new CallSession({
        call: whenCurrent(dispatch),
        transcript: whenCurrent(transcribe),
        media: whenCurrent(setMedia),
      });
      replace(next);
      transcribe({ type: "cleared" });
      dispatch({ type: "called", withMicrophone });
      void next.start(withMicrophone);
    },
    [replace],
  );

  useEffect(() => () => current.current?.leave(), []);

  const waiting = state.phase === "waiting-for-agent";
  const agentLeft = waiting && state.agentLeft;
  useEffect(() => {
    if (!waiting) return;
    const timers = [
      setTimeout(
        () => dispatch({ type: "waited", patience: "still-waiting" }),
        config.stillWaitingAfterMs,
      ),
      setTimeout(() => dispatch({ type: "waited", patience: "no-agent" }), config.noAgentAfterMs),
      setTimeout(
        () => current.current?.finish({ reason: agentLeft ? "agent-left" : "no-agent" }),
        config.giveUpAfterMs,
      ),
    ];
    return () => timers.forEach(clearTimeout);
  }, [waiting, agentLeft]);

  return {
    state,
    transcript,
    media,
    session,
    begin,
    /** Back to the start, whatever the call is doing. */
    leave: useCallback(() => replace(null), [replace]),
  };
}
