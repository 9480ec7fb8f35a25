import type { PendingConfirmation } from "../src/contract";

/** A question of the agent's, open for a minute. */
export function question(
  id: string,
  changes: Partial<PendingConfirmation> = {},
): PendingConfirmation {
  return {
    id,
    title: "Refund 15 dollars for order 9?",
    tool: "refund_order",
    arguments: [
      { name: "Order", value: "9" },
      { name: "Amount", value: "15 dollars" },
    ],
    digest: "a".repeat(64),
    expires_in_ms: 60_000,
    ...changes,
  };
}
