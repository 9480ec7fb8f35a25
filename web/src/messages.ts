import { Validator } from "@cfworker/json-schema";
import { DEFINITIONS, MESSAGE_MAX_BYTES, type AgentMessage, type Contract } from "./contract";

/** Whether a value from the network is what the contract calls *name*. */
export function isA<Name extends keyof Contract>(
  name: Name,
  value: unknown,
): value is Contract[Name] {
  const schema = { $ref: `#/$defs/${name}`, $defs: DEFINITIONS };
  return new Validator(schema, "2020-12").validate(value).valid;
}

/** The agent's message in *text*, or null if it is too long, no JSON, or not in the contract. */
export function parseAgentMessage(text: string): AgentMessage | null {
  if (new TextEncoder().encode(text).length > MESSAGE_MAX_BYTES) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isA("AgentMessage", value) ? value : null;
}
