import type { Action, Part } from "./storefront/actions";
import type { AgentState, CallState, Ending, Patience } from "./callState";
import { config } from "./config";
import type { CardResult } from "./confirmations";
import type { CallSummary, PendingConfirmation } from "./contract";
import { countdown, momentIn } from "./dates";
import type { Followed } from "./useFollowUp";
import type { MicrophoneProblem } from "./microphone";

const { agentName } = config;
/** As the first word of a sentence. */
export const AGENT = agentName.charAt(0).toUpperCase() + agentName.slice(1);

export interface Explanation {
  title: string;
  text: string;
}

/** What the call is doing right now, in one line. */
export function statusOf(state: CallState): string {
  switch (state.phase) {
    case "idle":
    case "ended":
      return "";
    case "asking-microphone":
      return "Waiting for your microphone…";
    case "microphone-problem":
      return "No microphone yet";
    case "requesting-call":
      return state.returning ? "Looking for your call…" : "Starting your call…";
    case "queueing":
      return "All our lines are busy";
    case "connecting":
      return state.returning ? "Taking you back to your call…" : "Connecting…";
    case "waiting-for-agent":
      return state.reconnecting ? RECONNECTING : waiting(state);
    case "in-call":
      if (state.reconnecting) return RECONNECTING;
      if (state.room === "ending") return ENDING;
      return state.agentReturned ? `${AGENT} is back` : "Connected";
    case "hanging-up":
      return "Hanging up…";
  }
}

/** What a caller in the queue is told about its position, from 1; null: not known. */
export function turnOf(position: number | null): string {
  if (position === null) return "";
  return position === 1 ? "You are next." : `You are number ${position} in the queue.`;
}

const RECONNECTING = "The connection was interrupted. Reconnecting…";
const ENDING = "The call is ending…";

/** From what the servers say, if they said anything, else from what this page sees. */
function waiting(state: Extract<CallState, { phase: "waiting-for-agent" }>): string {
  switch (state.room) {
    case "recovering":
      return RECOVERING[state.patience];
    case "no-agent":
      return NO_AGENT[state.patience];
    case "ending":
      return ENDING;
    default:
      return state.agentLeft ? AGENT_LEFT[state.patience] : NO_AGENT_YET[state.patience];
  }
}

const NO_AGENT_YET: Record<Patience, string> = {
  fresh: `Waiting for ${agentName}…`,
  "still-waiting": `Still waiting for ${agentName}…`,
  "no-agent": "No agent has joined",
};

const AGENT_LEFT: Record<Patience, string> = {
  fresh: `${AGENT} has left. Waiting for it to come back…`,
  "still-waiting": `${AGENT} has left. Still waiting for it to come back…`,
  "no-agent": `${AGENT} has not come back`,
};

const RECOVERING: Record<Patience, string> = {
  fresh: "One moment, reconnecting you…",
  "still-waiting": "One more moment, still reconnecting you…",
  "no-agent": "Reconnecting you is taking longer than usual",
};

const NO_AGENT: Record<Patience, string> = {
  fresh: "No agent is free to continue your call. Looking for one…",
  "still-waiting": "Still looking for an agent to continue your call…",
  "no-agent": "No agent is free right now. We keep trying",
};

export const AGENT_STATE: Record<AgentState, string> = {
  initializing: "Getting ready",
  idle: "Ready",
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
};

export const MICROPHONE: Record<MicrophoneProblem, Explanation> = {
  refused: {
    title: "The microphone is blocked",
    text: "Choose the microphone or lock symbol beside the page’s address, allow the microphone for this page, then try again.",
  },
  missing: {
    title: "No microphone was found",
    text: "Connect one, or switch it on in your system’s settings, then try again.",
  },
  "in-use": {
    title: "Another program is using the microphone",
    text: "End the other call or close the program that uses it, then try again.",
  },
  insecure: {
    title: "This page cannot make calls",
    text: "Browsers allow calls only from pages that are opened over https. Open this page with an address that begins with https.",
  },
  unsupported: {
    title: "This browser does not support microphones",
    text: "Continue in text, or open the page in another browser.",
  },
  unknown: {
    title: "The microphone could not be started",
    text: "Unplug it and plug it in again, or choose another in your system’s settings, then try again.",
  },
};

export const PARTS: Record<Part, string> = {
  conversation: "Conversation",
  orders: "Orders",
  appointment: "Appointment",
};

/** What a screen reader says when a question arrives: all of it, once. */
export function announce({ title, arguments: all, expires_in_ms }: PendingConfirmation): string {
  const details = all.map(({ name, value }) => `${name}: ${value}.`).join(" ");
  const seconds = Math.round(expires_in_ms / 1_000);
  return `${AGENT} asks: ${title} ${details} You have ${seconds} seconds to choose yes or no.`;
}

export const RESULTS: Record<CardResult, string> = {
  approved: "You said yes.",
  declined: "You said no. Nothing was done.",
  expired: "Time is up. Nothing was done.",
  "approved-aloud": "You said yes, aloud or in writing.",
  "declined-aloud": "You said no, aloud or in writing. Nothing was done.",
  replaced: "Something else is asked instead. Nothing was done.",
  ended: "The call ended first. Nothing was done.",
  changed: "This has changed in the meantime. Nothing was done.",
  unknown: "This question is no longer open.",
  closed: "Answered or withdrawn.",
  unanswered: `Your answer may not have arrived. Please tell ${agentName}.`,
};

/** What is asked before an action, and the button that says yes. */
export function suggestion(action: Action): Explanation & { yes: string } {
  switch (action.action) {
    case "show_order":
      return {
        title: `Show order ${action.number}?`,
        text: `${AGENT} would like to add it to your orders on this page.`,
        yes: "Show it",
      };
    case "navigate":
      return {
        title: `Go to “${PARTS[action.to]}”?`,
        text: `${AGENT} would like to show you this part of the page.`,
        yes: "Go there",
      };
    case "fill_form":
      return {
        title: "Fill in the form?",
        text: `${AGENT} would like to fill in the appointment form. You send it yourself.`,
        yes: "Fill it in",
      };
    case "offer_download":
      return {
        title: "Save a file?",
        text: `${AGENT} offers you the file ${action.filename}.`,
        yes: "Save it",
      };
    case "start_over":
      return {
        title: "Start over?",
        text: `${AGENT} would like to clear the orders shown here and the form.`,
        yes: "Clear them",
      };
  }
}

/** What the page has done. */
export function deed(action: Action): string {
  switch (action.action) {
    case "show_order":
      return `Order ${action.number} is in “Orders”.`;
    case "navigate":
      return `${AGENT} opened “${PARTS[action.to]}”.`;
    case "fill_form":
      return "The appointment form is filled in. Check it, then send it.";
    case "offer_download":
      return `${action.filename} was saved.`;
    case "start_over":
      return "Orders and form were cleared.";
  }
}

const ENDINGS: Record<Exclude<Ending["reason"], "refused">, Explanation> = {
  caller: { title: "You hung up", text: "Thank you for calling." },
  agent: { title: "The call is finished", text: `${AGENT} said goodbye.` },
  silence: {
    title: "The call ended because it was quiet",
    text: "Nothing was said for a while. If you were speaking, check that the right microphone is selected, or write instead.",
  },
  "not-understood": {
    title: `${AGENT} could not help this time`,
    text: "Try different words, or write what you need.",
  },
  flood: {
    title: "The call was ended",
    text: "Your device sent us far more than one person can. Close other tabs and extensions that use this page, then call again.",
  },
  "agent-left": {
    title: `${AGENT} left the call`,
    text: "The line went quiet and nobody came back. Please call again.",
  },
  "no-agent": {
    title: "No agent has joined",
    text: "Nobody was there to take your call. Please try again in a moment.",
  },
  "connection-lost": {
    title: "The connection was lost",
    text: "Check your network, then call again.",
  },
  "page-left": {
    title: "You left the page",
    text: "You can call again.",
  },
  closed: { title: "The call was closed", text: "Our side ended the call. You can call again." },
  "taken-over": {
    title: "The call continues elsewhere",
    text: "It was opened in another tab or on another device.",
  },
  "connect-failed": {
    title: "The call could not be connected",
    text: "The media server did not answer. A firewall or VPN may be in the way; try another network, or try again in a moment.",
  },
  "token-expired": {
    title: "Connecting took too long",
    text: "Please call again.",
  },
  "agents-busy": {
    title: "All our lines are still busy",
    text: "We kept trying, but no agent became free. Please try again later.",
  },
  "service-busy": {
    title: "All our lines are still busy",
    text: "We kept trying, but no agent became free. Please try again later.",
  },
  "network-busy": {
    title: "Many calls come from your network",
    text: "We kept trying, but others on your network are still in calls. Please try again later.",
  },
  "tenant-limit": {
    title: "Your organization is in many calls",
    text: "We kept trying, but it is still in as many calls as it may be. Please try again later.",
  },
  "captcha-required": {
    title: "Please show that you are a person",
    text: "Solve the check on this page, then call.",
  },
  "captcha-unavailable": {
    title: "Calls are not possible right now",
    text: "It cannot be checked whether you are a person. Please try again in a moment.",
  },
  "too-many-calls": {
    title: "You are already in a call",
    text: "End your other call first: it may be open in another tab or on another device.",
  },
  "daily-limit": {
    title: "That was all for today",
    text: "You have used all of your call time for one day.",
  },
  "rate-limited": {
    title: "One moment, please",
    text: "You have tried too often in a short time.",
  },
  "sign-in-required": {
    title: "Please sign in",
    text: "You are not signed in, or your sign-in has expired. Sign in, then call.",
  },
  "sign-in-unavailable": {
    title: "Calls are not possible right now",
    text: "Your sign-in cannot be checked at the moment. Please try again shortly.",
  },
  "not-allowed": {
    title: "You cannot call from here",
    text: "Your account or this page is not allowed to make calls.",
  },
  "call-ended": {
    title: "This call has ended",
    text: "It ended while you were away. You can start a new one.",
  },
  "call-not-found": {
    title: "This call does not exist",
    text: "You can start a new one.",
  },
  "record-unavailable": {
    title: "Calls are not possible right now",
    text: "Our call records cannot be reached. Please try again in a moment.",
  },
  "sfu-unavailable": {
    title: "Calls are not possible right now",
    text: "Our media server cannot be reached. Please try again in a moment.",
  },
  network: {
    title: "We cannot be reached",
    text: "Check that you are online, then try again.",
  },
  slow: {
    title: "We took too long to answer",
    text: "The network or our service is slow. Please try again.",
  },
  unexpected: {
    title: "Something went wrong on our side",
    text: "The call could not be started. Please try again.",
  },
};

export const FOLLOW_UP: Record<Exclude<Followed["state"], "none">, string> = {
  waiting: "Writing your call summary…",
  late: "Your call summary is taking longer than usual. You do not have to wait for it.",
  ready: "Your call summary is ready.",
  failed: "Your call summary could not be written automatically. A person will look at it.",
};

export const OUTCOMES: Record<Exclude<CallSummary["outcome"], "unknown">, string> = {
  resolved: "Resolved",
  unresolved: "Still open",
};

const HOUR_MS = 3_600_000;

/** When the next call can start. */
export function whenAgain(leftMs: number): string {
  if (leftMs <= 0) return "You can call again now.";
  if (leftMs < HOUR_MS) return `You can call again in ${countdown(leftMs)}.`;
  return `You can call again on ${momentIn(leftMs)}.`;
}

const CALM: readonly Ending["reason"][] = ["caller", "agent", "taken-over", "call-ended"];

const STILL_THERE = "Your call stays open for a short while.";
const LOST: Partial<Record<Ending["reason"], string>> = {
  "too-many-calls":
    "This call was started in another tab, or in one that was closed. You can continue it here.",
};

/**
 * Why a call ended or could not begin, and what to do. `calm` endings are not errors.
 *
 * *lost*: the call may continue without this page.
 */
export function explain(ending: Ending, lost = false): Explanation & { calm: boolean } {
  const explanation =
    ending.reason === "refused"
      ? { title: "The call was not accepted", text: ending.detail }
      : ENDINGS[ending.reason];
  const text = lost ? (LOST[ending.reason] ?? STILL_THERE) : explanation.text;
  return { title: explanation.title, text, calm: CALM.includes(ending.reason) };
}
