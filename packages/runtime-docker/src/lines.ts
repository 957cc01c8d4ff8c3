import type { Readable } from 'node:stream';

/** The lines of a stream, the last one also without its end. (node:readline would wait for ever for one that was destroyed.) */
export async function* lines(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}
