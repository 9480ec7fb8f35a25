import { useCallback, useEffect } from "react";
import type { CallSession } from "../callSession";
import type { CallState } from "../callState";
import type { Cards, ConfirmationEvent } from "../confirmations";
import type { Media } from "../media";
import type { ActionEvent, ActionsState, Part } from "../storefront/actions";
import { AppointmentForm } from "../storefront/AppointmentForm";
import { Orders } from "../storefront/Orders";
import type { Transcript as Entries } from "../transcript";
import { useWide } from "../useWide";
import { words } from "../words";
import { AgentPanel } from "./AgentPanel";
import { CallAlerts } from "./CallAlerts";
import { Composer } from "./Composer";
import { Controls } from "./Controls";
import { DoneNote } from "./DoneNote";
import { PartsNav } from "./PartsNav";
import { Questions } from "./Questions";
import { Screen } from "./Screen";
import { Suggestions } from "./Suggestions";
import { Transcript } from "./Transcript";

/** The call itself: the agent on one side, the conversation and what it shows on the other. */
export function CallScreen(props: {
  state: CallState;
  transcript: Entries;
  media: Media;
  cards: Cards;
  actions: ActionsState;
  session: CallSession;
  tellCards: (event: ConfirmationEvent) => void;
  tellActions: (event: ActionEvent) => void;
  onRetry: () => void;
  onLeave: () => void;
}) {
  const { state, transcript, media, cards, session, tellCards, tellActions } = props;
  const { board, asked, done } = props.actions;
  const reachable = state.phase === "in-call" && !state.reconnecting;
  const agentName = media.agentName ?? words.name;
  const wide = useWide();
  const current = wide ? (board.beside ?? "conversation") : board.part;
  const shown: readonly Part[] = wide ? ["conversation", current] : [current];
  const seen = board.news.find((part) => shown.includes(part));
  useEffect(() => {
    if (seen) tellActions({ type: "seen", part: seen });
  }, [seen, tellActions]);
  const open = (part: Part) => tellActions({ type: "opened", part });
  const dismissCard = useCallback(
    (id: string) => tellCards({ type: "dismissed", id }),
    [tellCards],
  );
  const dismissNote = useCallback(() => tellActions({ type: "noted" }), [tellActions]);
  const setTyping = useCallback((typing: boolean) => session.setTyping(typing), [session]);
  const send = (text: string) => void session.sendText(text);
  return (
    <Screen title={`Call with ${words.name}`} className="call">
      <AgentPanel
        state={state}
        name={agentName}
        track={media.agentTrack}
        startedAtMs={session.call?.startedAtMs ?? null}
      />
      <div className="workspace" data-part={current}>
        <PartsNav current={current} news={board.news} onOpen={open} />
        <CallAlerts {...props} />
        <div className="parts">
          <div className="part conversation" hidden={!shown.includes("conversation")}>
            <Transcript entries={transcript} agentName={agentName} live />
            {transcript.length === 0 && (
              <p className="empty">What you both say will appear here.</p>
            )}
          </div>
          <Orders orders={board.orders} hidden={!shown.includes("orders")} />
          <AppointmentForm
            appointment={board.appointment}
            hidden={!shown.includes("appointment")}
            disabled={!reachable}
            onEdit={(appointment) => tellActions({ type: "edited", appointment })}
            onSend={(text) => {
              send(text);
              if (!wide) open("conversation");
            }}
          />
        </div>
        <Questions
          cards={cards}
          onAnswer={(question, approved) => void session.confirmations.answer(question, approved)}
          onDismiss={dismissCard}
        />
        <Suggestions asked={asked} onAnswer={(id, yes) => session.actions.answer(id, yes)} />
        <DoneNote
          done={done}
          shown={shown}
          onOpen={open}
          onUndo={() => tellActions({ type: "undone" })}
          onDismiss={dismissNote}
        />
        <Composer
          disabled={!reachable}
          focused={media.microphone === null}
          onSend={send}
          onTyping={setTyping}
        />
      </div>
      <Controls session={session} media={media} disabled={state.phase === "hanging-up"} />
    </Screen>
  );
}
