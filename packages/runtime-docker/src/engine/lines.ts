import type { Readable } from 'node:stream';

/** Far longer than any line of the engine, in characters. */
const MAX_LINE_LENGTH = 4 * 1024 * 1024;

/**
 * The lines of a stream, including a last one without a newline. (node:readline never ends if the stream is
 * destroyed.)
 */
export async function* lines(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > MAX_LINE_LENGTH) throw new Error(`a line has more than ${MAX_LINE_LENGTH} characters`);
    yield* parts;
  }
  if (rest !== '') yield rest;
}
