import type { ActionName } from "./storefront/actions";

/** What one installation may want to change. */
export const config = {
  productName: "Parley",
  /** These three are the shop's; the service may have others for its agent (`words.ts`). */
  shopName: "Spoke\u00a0&\u00a0Wheel",
  /** As in the middle of a sentence. */
  agentName: "the assistant",
  lead: "Our voice assistant answers right away. Ask about an order, change an appointment or get something sorted out.",
  suggestions: [
    "Where is order seven?",
    "When are you open?",
    "Cancel order ten",
    "Book an appointment",
  ],

  /** How long the page waits for the agent's own words, before it begins with those above. */
  wordsTimeoutMs: 2_000,
  /** How long the page waits for an answer from its own server. */
  requestTimeoutMs: 10_000,
  /**
   * The caller's access token, where the service asks for one; put your sign-in library here.
   * Null: none is sent, there is no sign-in or a proxy in front adds the token.
   */
  accessToken: (): string | null => null,
  /** Where a caller signs in. The page itself: what guards it asks for the sign-in. */
  signInUrl: "/",
  /** Between two tries while all agents are busy: what the server asks for, within these bounds. */
  queueRetryMinMs: 1_000,
  queueRetryMaxMs: 60_000,
  /** How long the page keeps trying. */
  queueMaxMs: 900_000,
  /** From entering the room to the words "still waiting". */
  stillWaitingAfterMs: 3_000,
  /** From entering the room to the words "No agent has joined". */
  noAgentAfterMs: 8_000,
  /** From entering the room to giving up. */
  giveUpAfterMs: 60_000,
  /** How long hanging up waits for the agent's answer. */
  hangUpTimeoutMs: 1_000,
  /** How often open questions are compared with the clock, and with what the agent says. */
  confirmationClockMs: 250,
  confirmationRefreshMs: 3_000,
  /** How long the page waits for the agent's reply about questions, and then before it tries again. */
  confirmationReplyMs: 3_000,
  confirmationRetryMs: 1_000,
  confirmationTries: 5,
  /** How long the page keeps sending the caller's answer. */
  answerWithinMs: 30_000,
  /** A card ignores clicks right after it appears: the caller may have meant something else. */
  cardSettlesMs: 600,
  /** How long a card that was answered says so. */
  cardResultMs: 5_000,

  /** What the page does when the agent suggests it. Everything else is refused. */
  actions: {
    show_order: "do",
    navigate: "do",
    fill_form: "do",
    offer_download: "ask",
    start_over: "ask",
  } satisfies Partial<Record<ActionName, "ask" | "do">>,
  /** How many suggestions may wait for the caller, and how long each waits. */
  askedMax: 4,
  askedWithinMs: 60_000,
  /** How long the page says what it did. */
  doneNoteMs: 20_000,

  /** Between two requests for the call summary: the first pause, its growth, the longest. */
  followUpFirstMs: 1_000,
  followUpGrowth: 1.4,
  followUpLongestMs: 8_000,
  /** From the end of the call to the last request for its summary. */
  followUpWithinMs: 120_000,

  /** How long the page offers to return to a call that it has lost. */
  comeBackWithinMs: 60_000,
  /** Between coming back and asking again for the transcript. */
  replayAgainMs: 1_000,
  /** How long the page says that the agent is back. */
  agentReturnedMs: 5_000,
  /** From leaving the room when the page is left, to coming back if the page is still there. */
  pageLeaveMs: 1_500,
  /** Between the agent's `call-ended` and leaving: its last words are still playing. */
  lastWordsMs: 400,
} as const;
