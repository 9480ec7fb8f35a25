import { expect, test } from "vitest";
import { MESSAGE_MAX_BYTES } from "../src/contract";
import { parseAgentMessage } from "../src/messages";

const parse = (value: unknown) => parseAgentMessage(JSON.stringify(value));

test("the contract's messages are understood", () => {
  const notice = { type: "notice", code: "not-heard", text: "Please try again." };
  expect(parse(notice)).toEqual(notice);
  const warning = { type: "notice", code: "flood", text: "Please slow down." };
  expect(parse(warning)).toEqual(warning);
  expect(parse({ type: "call-ended", reason: "silence" })).toEqual({
    type: "call-ended",
    reason: "silence",
  });
});

test.each([
  ["no JSON", "call-ended"],
  ["an empty text", ""],
  ["null", "null"],
  ["an unknown type", '{"type":"navigate","to":"/"}'],
  ["an action without a name", '{"type":"client-action","id":"a","action":{"to":"orders"}}'],
  [
    "an action without an id",
    '{"type":"client-action","action":{"action":"navigate","to":"orders"}}',
  ],
  [
    "a question without its digest",
    '{"type":"confirmations","pending":[{"id":"c","title":"?","tool":"t","arguments":[],"expires_in_ms":1}]}',
  ],
  ["an unknown reason", '{"type":"call-ended","reason":"boredom"}'],
  ["a missing field", '{"type":"notice","code":"not-heard"}'],
  ["an unknown field", '{"type":"call-ended","reason":"agent","html":"<b>"}'],
  ["a text that is no text", '{"type":"notice","code":"not-heard","text":{}}'],
  [
    "a text of 2,001 characters",
    JSON.stringify({ type: "notice", code: "no-voice", text: "x".repeat(2_001) }),
  ],
])("%s is no message", (_, text) => {
  expect(parseAgentMessage(text)).toBeNull();
});

test("a message is measured in bytes, not in characters", () => {
  const padded = (bytes: number) => '{"type":"call-ended","reason":"agent"}'.padEnd(bytes);
  expect(parseAgentMessage(padded(MESSAGE_MAX_BYTES))).not.toBeNull();
  expect(parseAgentMessage(padded(MESSAGE_MAX_BYTES + 1))).toBeNull();
  const threeBytesEach = "€".repeat(MESSAGE_MAX_BYTES / 2);
  expect(parse({ type: "notice", code: "no-voice", text: threeBytesEach })).toBeNull();
});
