/** What one installation may want to change. */
export const config = {
  productName: "Parley",
  shopName: "Spoke\u00a0&\u00a0Wheel",
  /** As in the middle of a sentence. */
  agentName: "the assistant",
  lead: "Our voice assistant answers at once. Ask about an order, change an appointment or get something sorted out.",
  suggestions: [
    "Where is order seven?",
    "When are you open?",
    "Cancel order ten",
    "Book an appointment",
  ],

  tokenTimeoutMs: 10_000,
  /** From entering the room to the words "still waiting". */
  stillWaitingAfterMs: 3_000,
  /** From entering the room to the words "No agent has joined". */
  noAgentAfterMs: 8_000,
  /** From entering the room to giving the place up. */
  giveUpAfterMs: 60_000,
  /** The longest that hanging up waits for the agent's answer. */
  hangUpTimeoutMs: 1_000,
  /** Between the agent's `call-ended` and leaving: its last sound is still on its way. */
  lastWordsMs: 400,
} as const;
