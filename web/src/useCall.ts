import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import { CallSession } from "./callSession";
import { callReducer, IDLE, mayComeBack } from "./callState";
import { config } from "./config";
import { confirmationsReducer } from "./confirmations";
import { NO_MEDIA, type Media } from "./media";
import { recall, recallFromAnyTab, type RememberedCall } from "./rememberedCall";
import { actionsReducer, NOTHING_DONE } from "./storefront/actions";
import { transcriptReducer } from "./transcript";

const merge = (media: Media, change: Partial<Media>): Media => ({ ...media, ...change });

/** The page's one call: what it is doing, what was said, and what the caller can do. */
export function useCall() {
  const [state, dispatch] = useReducer(callReducer, IDLE);
  const [transcript, transcribe] = useReducer(transcriptReducer, []);
  const [media, setMedia] = useReducer(merge, NO_MEDIA);
  const [cards, tellCards] = useReducer(confirmationsReducer, []);
  const [actions, tellActions] = useReducer(actionsReducer, NOTHING_DONE);
  const [session, setSession] = useState<CallSession | null>(null);
  const current = useRef<CallSession | null>(null);

  const replace = useCallback((next: CallSession | null) => {
    current.current?.leave();
    current.current = next;
    setSession(next);
    setMedia(NO_MEDIA);
    tellCards({ type: "cleared" });
    tellActions({ type: "interrupted" });
    dispatch({ type: "left" });
  }, []);

  const renew = useCallback(() => {
    const whenCurrent =
      <Value>(tell: (value: Value) => void) =>
      (value: Value) => {
        if (current.current === next) tell(value);
      };
    const next: CallSession = new CallSession({
      call: whenCurrent(dispatch),
      transcript: whenCurrent(transcribe),
      media: whenCurrent(setMedia),
      confirmations: whenCurrent(tellCards),
      actions: whenCurrent(tellActions),
    });
    replace(next);
    return next;
  }, [replace]);

  const begin = useCallback(
    (withMicrophone: boolean) => {
      current.current?.abandon();
      transcribe({ type: "cleared" });
      tellActions({ type: "cleared" });
      const next = renew();
      dispatch({ type: "called", withMicrophone });
      void next.start(withMicrophone);
    },
    [renew],
  );

  const comeBack = useCallback(
    (call: RememberedCall) => {
      const next = renew();
      dispatch({ type: "returning" });
      void next.comeBack(call);
    },
    [renew],
  );

  const leave = useCallback(() => {
    current.current?.abandon();
    replace(null);
  }, [replace]);

  // After a reload.
  useEffect(() => {
    const call = recall();
    if (call) comeBack(call);
    return () => current.current?.leave();
  }, [comeBack]);

  const ending = state.phase === "ended" ? state.ending : null;
  const gone = ending?.reason === "call-not-found";
  useEffect(() => {
    // eslint-disable-next-line react-hooks/set-state-in-effect -- the session ends with it
    if (gone) leave();
  }, [gone, leave]);

  const lost = ending && mayComeBack(ending) ? (session?.call ?? null) : null;
  const stayed = ending?.reason === "page-left";
  useEffect(() => {
    if (!lost) return;
    const retry = () => comeBack(lost);
    if (stayed) retry();
    addEventListener("online", retry);
    return () => removeEventListener("online", retry);
  }, [lost, stayed, comeBack]);

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
        () => current.current?.stopWaiting(agentLeft ? "agent-left" : "no-agent"),
        config.giveUpAfterMs,
      ),
    ];
    return () => timers.forEach(clearTimeout);
  }, [waiting, agentLeft]);

  const agentReturned = state.phase === "in-call" && state.agentReturned;
  useEffect(() => {
    if (!agentReturned) return;
    const timer = setTimeout(() => dispatch({ type: "agent-settled" }), config.agentReturnedMs);
    return () => clearTimeout(timer);
  }, [agentReturned]);

  return {
    state,
    transcript,
    media,
    cards,
    tellCards,
    actions,
    tellActions,
    session,
    /** The call that continues without this page, as far as the page can tell. */
    lost: ending?.reason === "too-many-calls" ? recallFromAnyTab() : lost,
    begin,
    comeBack,
    /** Back to the start, whatever the call is doing. */
    leave,
  };
}
