import type { AgentState, CallState, Ending } from "./callState";
import { config } from "./config";
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
    case "getting-place":
      return "Getting you a place…";
    case "connecting":
      return "Connecting…";
    case "waiting-for-agent":
      return state.reconnecting ? RECONNECTING : waitingFor(state.agentLeft, state.patience);
    case "in-call":
      return state.reconnecting ? RECONNECTING : "Connected";
    case "hanging-up":
      return "Hanging up…";
  }
}

const RECONNECTING = "The connection was interrupted. Reconnecting…";

function waitingFor(agentLeft: boolean, patience: string): string {
  switch (patience) {
    case "fresh":
      return agentLeft ? `${AGENT} has left. Waiting for a return…` : `Waiting for ${agentName}…`;
    case "still-waiting":
      return agentLeft
        ? `${AGENT} has left. Still waiting for a return…`
        : `Still waiting for ${agentName}…`;
    default:
      return agentLeft ? `${AGENT} has not come back` : "No agent has joined";
  }
}

export const AGENT_STATE: Record<AgentState, string> = {
  initializing: "Getting ready",
  idle: "Here",
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
    text: "End the other call or close the program that holds it, then try again.",
  },
  insecure: {
    title: "This page cannot make calls",
    text: "Browsers allow calls only from pages that are opened over https. Open this page with an address that begins with https.",
  },
  unsupported: {
    title: "This browser gives pages no microphone",
    text: "Go on by text, or open the page in another browser.",
  },
  unknown: {
    title: "The microphone could not be started",
    text: "Unplug it and plug it in again, or choose another in your system’s settings, then try again.",
  },
};

const ENDINGS: Record<Exclude<Ending["reason"], "refused">, Explanation> = {
  caller: { title: "You hung up", text: "Thank you for calling." },
  agent: { title: "The call is finished", text: `${AGENT} said goodbye.` },
  silence: {
    title: "The call ended because it was quiet",
    text: "Nothing was said for a while. If you were speaking, check that the right microphone is chosen, or write instead.",
  },
  "not-understood": {
    title: `${AGENT} could not help this time`,
    text: "Try again with other words, or write what you need.",
  },
  failed: {
    title: "The call ended because of a fault on our side",
    text: "Nothing that you did caused it. Please call again.",
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
  closed: { title: "The call was closed", text: "Our side ended the call. You can call again." },
  "taken-over": {
    title: "The call went on elsewhere",
    text: "It was opened in another tab or on another device.",
  },
  "connect-failed": {
    title: "The call could not be connected",
    text: "The media server did not answer. A firewall or VPN may be in the way; try another network, or try again in a moment.",
  },
  "place-expired": {
    title: "Your place in the call has expired",
    text: "It took too long to connect. Please call again.",
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

const CALM: readonly Ending["reason"][] = ["caller", "agent", "taken-over"];

/** Why a call ended or could not begin, and what to do. `calm` endings are no errors. */
export function explain(ending: Ending): Explanation & { calm: boolean } {
  const explanation =
    ending.reason === "refused"
      ? { title: "The call was not accepted", text: ending.detail }
      : ENDINGS[ending.reason];
  return { ...explanation, calm: CALM.includes(ending.reason) };
}
