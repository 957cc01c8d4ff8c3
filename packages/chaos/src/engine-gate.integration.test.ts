import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EngineGate } from './engine-gate.ts';

const directory = mkdtempSync(join(tmpdir(), 'cless-gate-'));
const socketPath = join(directory, 'gate');
let gate: EngineGate;

/** Answers calls, and reports two events at once. */
const engine = createServer((request, response) => {
  if (request.url !== '/v1/events') return void response.end('a good answer');
  response.flushHeaders();
  setTimeout(() => {
    response.write('first ');
    response.write('second ');
  }, 50);
});

beforeAll(async () => {
  engine.listen(join(directory, 'engine'));
  await once(engine, 'listening');
  gate = await EngineGate.listen(socketPath, join(directory, 'engine'));
});

afterAll(() => {
  gate.close();
  engine.close();
  engine.closeAllConnections();
  rmSync(directory, { recursive: true });
});

/** The answer to a call without head and framing, followed by a dash if it does not end. */
async function call(path: string): Promise<string> {
  const socket = connect(socketPath);
  const stop = setTimeout(() => socket.destroy(), 1_000);
  let ended = false;
  let seen = '';
  socket.on('data', (bytes) => (seen += bytes)).on('end', () => (ended = true));
  socket.on('error', () => (ended = true));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n`);
  await new Promise((resolve) => socket.on('close', resolve));
  clearTimeout(stop);
  const text = seen.replace(/^HTTP[\s\S]*?\r\n\r\n/, '').replace(/[0-9a-f]+\r\n|\r\n/g, '');
  return ended ? text : `${text}-`;
}

test.each([
  ['open', 'a good answer'],
  ['delay', 'a good answer'],
  ['refuse', ''],
  ['silence', '-'],
  ['garbage', '\x00\x01HELLO 99 ~~~~\ufffd\ufffd'],
  ['html', '<!doctype html><title>login</title>'],
  ['redirect', ''],
  ['empty', '{}'],
  ['cut', 'a g'],
  ['drop-events', 'a good answer'],
  ['reorder-events', 'a good answer'],
] as const)('%s: a call gets %j', async (mode, seen) => {
  gate.mode = mode;
  expect(await call('/v1/list')).toBe(seen);
});

test.each([
  ['open', 'first second -'],
  ['drop-events', '-'],
  ['reorder-events', 'second first -'],
] as const)('%s: who follows the events sees %j', async (mode, seen) => {
  gate.mode = mode;
  expect(await call('/v1/events')).toBe(seen);
});

test('what is under way ends when it behaves otherwise', async () => {
  gate.mode = 'open';
  const following = call('/v1/events');
  setTimeout(() => {
    gate.mode = 'open';
  }, 200);
  expect(await following).toBe('first second ');
});
