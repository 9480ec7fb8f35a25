import { expect, test } from "vitest";
import type { CallView } from "../src/contract";
import { endingOnRecord } from "../src/callApi";

const view = (state: CallView["state"], end_reason: string | null = null): CallView => ({
  call_id: "0198",
  state,
  end_reason,
  transcript: [],
});

test("a closed room of a call that continues is a lost connection", () => {
  expect(endingOnRecord(view("live"))).toEqual({ reason: "connection-lost" });
  expect(endingOnRecord(view("requested"))).toEqual({ reason: "connection-lost" });
});

test("a call that ended tells why, where the page has words for it", () => {
  expect(endingOnRecord(view("ended", "no-agent"))).toEqual({ reason: "no-agent" });
  expect(endingOnRecord(view("ended", "flood"))).toEqual({ reason: "flood" });
  expect(endingOnRecord(view("ending", "silence"))).toEqual({ reason: "silence" });
  expect(endingOnRecord(view("ended", "budget-of-tomorrow"))).toEqual({ reason: "closed" });
  expect(endingOnRecord(null)).toEqual({ reason: "closed" });
});
