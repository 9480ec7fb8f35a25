import { config } from "./config";
import type { PageWords } from "./contract";
import { ask } from "./http";
import { isA } from "./messages";
import type { Part } from "./storefront/actions";

/** What the page says about the agent: its own words, until the service has others. */
export const words: {
  name: string;
  lead: string;
  suggestions: readonly string[];
  parts: readonly string[];
} = {
  name: config.shopName,
  lead: config.lead,
  suggestions: config.suggestions,
  parts: ["conversation", "orders", "appointment"] satisfies Part[],
};

/** Takes the agent's words, if they come in time. */
export async function loadWords(
  address: string | URL = "/api/page",
  timeoutMs: number = config.wordsTimeoutMs,
): Promise<void> {
  try {
    const answer = await ask(address, {}, new AbortController().signal, timeoutMs);
    if (answer.status === 200 && isA("PageWords", answer.body)) take(answer.body);
  } catch {
    // The page has words of its own.
  }
}

function take(given: PageWords): void {
  words.name = given.name ?? words.name;
  words.lead = given.lead ?? words.lead;
  words.suggestions = given.suggestions ?? words.suggestions;
  words.parts = given.parts ?? words.parts;
}
