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

/** The *name* in *text*, or null if it is too long, no JSON, or not in the contract. */
export function parse<Name extends keyof Contract>(
  name: Name,
  text: string,
): Contract[Name] | null {
  const value = json(text);
  return isA(name, value) ? value : null;
}

/** The agent's message in *text*, or null. */
export function parseAgentMessage(text: string): AgentMessage | null {
  const value = json(text);
  return isA("AgentMessage", value) ? value : null;
}

function json(text: string): unknown {
  if (new TextEncoder().encode(text).length > MESSAGE_MAX_BYTES) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
