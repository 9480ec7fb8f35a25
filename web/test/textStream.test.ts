import { expect, test } from "vitest";
import { growing, TextTooLong, whole } from "../src/textStream";

async function* chunks(...texts: string[]) {
  yield* texts;
}

test("a growing text yields all that has arrived", async () => {
  const seen: string[] = [];
  for await (const text of growing(chunks("Hel", "lo"), 10)) seen.push(text);
  expect(seen).toEqual(["Hel", "Hello"]);
});

test("a whole text is what the stream held", async () => {
  expect(await whole(chunks("a", "b"), 2)).toBe("ab");
  expect(await whole(chunks(), 2)).toBe("");
});

test("a stream that is too long is given up while it arrives", async () => {
  let sent = 0;
  async function* endless() {
    for (;;) {
      sent += 1;
      yield "x";
    }
  }
  await expect(whole(endless(), 5)).rejects.toThrow(TextTooLong);
  expect(sent).toBe(6);
});
