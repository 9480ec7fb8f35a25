import type { ActionName } from "./storefront/actions";

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

  /** The longest that the page waits for an answer of its own server. */
  requestTimeoutMs: 10_000,
  /**
   * The caller's access token, where the service asks for one; put your sign-in library here.
   * Null: none is sent, there is no sign-in or a proxy in front adds the token.
   */
  accessToken: (): string | null => null,
  /** Where a caller signs in. The page itself: what guards it asks for the sign-in. */
  signInUrl: "/",
  /** Between two tries for a place while all agents are busy: what the server asks, within this. */
  queueRetryMinMs: 1_000,
  queueRetryMaxMs: 60_000,
  /** The longest that the page tries for a place by itself. */
  queueMaxMs: 900_000,
  /** From entering the room to the words "still waiting". */
  stillWaitingAfterMs: 3_000,
  /** From entering the room to the words "No agent has joined". */
  noAgentAfterMs: 8_000,
  /** From entering the room to giving the place up. */
  giveUpAfterMs: 60_000,
  /** The longest that hanging up waits for the agent's answer. */
  hangUpTimeoutMs: 1_000,
  /** How often open questions are compared with the clock, and with what the agent says. */
  confirmationClockMs: 250,
  confirmationRefreshMs: 3_000,
  /** The longest wait for the agent's reply about questions, and the pause before another try. */
  confirmationReplyMs: 3_000,
  confirmationRetryMs: 1_000,
  confirmationTries: 5,
  /** The longest that the caller's answer is sent again and again. */
  answerWithinMs: 30_000,
  /** A card takes no click right after it came: it may have come under the person's hand. */
  cardSettlesMs: 600,
  /** How long a card that was answered says so. */
  cardResultMs: 5_000,

  /** What the page does when the agent suggests it; all else is refused. */
  actions: {
    show_order: "do",
    navigate: "do",
    fill_form: "do",
    offer_download: "ask",
    start_over: "ask",
  } satisfies Partial<Record<ActionName, "ask" | "do">>,
  /** Suggestions that wait for the person, and how long each waits. */
  askedMax: 4,
  askedWithinMs: 60_000,
  /** How long the page says what it did. */
  doneNoteMs: 20_000,

  /** Between two looks at what came of a call: the first pause, its growth, the longest. */
  followUpFirstMs: 1_000,
  followUpGrowth: 1.4,
  followUpLongestMs: 8_000,
  /** From the end of the call to looking no more. */
  followUpWithinMs: 120_000,

  /** How long the way back to a call is offered that this page has lost. */
  comeBackWithinMs: 60_000,
  /** Between coming back and asking once more what was said before. */
  replayAgainMs: 1_000,
  /** How long the page says that the agent is back. */
  agentReturnedMs: 5_000,
  /** Between leaving the room because the page is left, and coming back should it be there still. */
  pageLeaveMs: 1_500,
  /** Between the agent's `call-ended` and leaving: its last sound is still on its way. */
  lastWordsMs: 400,
} as const;
