import type { ServerResponse } from 'node:http';

/*
 * What answers of Node's HTTP server cannot do by themselves, or do wrong.
 */

/** Bodies up to this size are copied to be one write with their head; a writev is the most expensive call of all. */
const SMALL_BODY_BYTES = 16 * 1024;
const NOTHING = Buffer.alloc(0);

/** The joined values of a header; undefined if it is missing. @param head names and values alternating */
export function valueIn(head: readonly string[], name: string): string | undefined {
  const values = head.filter((_, i) => i % 2 === 1 && head[i - 1]?.toLowerCase() === name);
  return values.length === 0 ? undefined : values.join(', ');
}

/** Node's `writeEarlyHints` throws for some valid links. */
export function writeHints({ socket, req }: ServerResponse, headers: readonly string[]): void {
  if (req.httpVersion === '1.0' || socket === null || !socket.writable || socket.writableNeedDrain) return;
  let head = 'HTTP/1.1 103 Early Hints\r\n';
  for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  socket.write(`${head}\r\n`, 'latin1');
}

/** Node holds the head back until there is a body; its `flushHeaders` would write Latin-1 as UTF-8. */
export function flushHead(response: ServerResponse): void {
  if (!response.writableEnded && !response.destroyed) response.write(NOTHING);
}

export function sendTrailers(response: ServerResponse, fields: readonly string[]): void {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) pairs.push([fields[i] ?? '', fields[i + 1] ?? '']);
  response.addTrailers(pairs);
}

export function endWith(response: ServerResponse, body: Buffer): void {
  if (body.length <= SMALL_BODY_BYTES) response.end(body.toString('latin1'), 'latin1');
  else response.end(body);
}

/** With a reset for HTTP/1.0, where the end of the connection may mean the end of the answer. */
export function breakOff(response: ServerResponse): void {
  const { req, socket } = response;
  if (req.httpVersion === '1.0' && socket !== null && !socket.destroyed) socket.resetAndDestroy();
  response.destroy();
}
