export class TextTooLong extends Error {}

/**
 * The text of a stream as it grows: each item is all that has arrived.
 *
 * Throws TextTooLong as soon as it is longer than *maxChars*, and what the stream throws when its
 * sender vanishes.
 */
export async function* growing(
  chunks: AsyncIterable<string>,
  maxChars: number,
): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of chunks) {
    text += chunk;
    if (text.length > maxChars) throw new TextTooLong();
    yield text;
  }
}

/** The whole text of a stream. Throws as `growing` does. */
export async function whole(chunks: AsyncIterable<string>, maxChars: number): Promise<string> {
  let text = "";
  for await (const soFar of growing(chunks, maxChars)) text = soFar;
  return text;
}
