import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProxyProcess, SAMPLE_COMMAND } from '@cless/testkit';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { PROXY } from './proxy.ts';

/*
 * Heavy load, at once and in a row, through the real proxy with instances as child processes: memory stays flat, and
 * others are still served.
 */

const MIB = 1024 ** 2;
const SIZE = 1024 * MIB;
const directory = mkdtempSync(join(tmpdir(), 'cless-endurance-'));
writeFileSync(join(directory, 'services.json'), JSON.stringify({ web: { command: SAMPLE_COMMAND } }));
let proxy: ProxyProcess;

async function start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  proxy = await PROXY.start({
    CLESS_RUNTIME: 'process',
    CLESS_PROCESS_SERVICES: join(directory, 'services.json'),
    CLESS_STATE_DIR: join(directory, 'state'),
    CLESS_LOG_LEVEL: 'warn',
    ...settings,
  });
  expect((await proxy.fetch('web.example')).status).toBe(200);
}

const processes = () => [proxy.pid, ...proxy.workers];

/** The memory of the proxy's processes in bytes: resident, and the peak. */
function memory(): { resident: number; peak: number } {
  const statuses = processes().map((pid) => readFileSync(`/proc/${pid}/status`, 'utf8'));
  const bytes = (name: string) =>
    statuses
      .map((status) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024)
      .reduce((sum, one) => sum + one);
  return { resident: bytes('VmRSS'), peak: bytes('VmHWM') };
}

afterEach(() => proxy.stop());
afterAll(() => rmSync(directory, { recursive: true }));

describe.each(['undici', 'http-proxy-3'])('bodies of 1 GB over %s', (forwarder) => {
  test('both ways, whole, in at most 64 MiB more', { timeout: 120_000 }, async () => {
    await start({ CLESS_FORWARDER: forwarder });
    // Runs all the code once, so that only bodies are measured.
    await exchange('/echo', 32 * MIB);
    await exchange(`/pour?bytes=${32 * MIB}`);
    const { resident } = memory();
    for (const pid of processes()) writeFileSync(`/proc/${pid}/clear_refs`, '5'); // the peak is counted from now on
    const sent = await exchange('/echo', SIZE);
    expect(JSON.parse(sent.text).body).toMatchObject({ length: SIZE, sha256: sent.sha256 });
    const received = await exchange(`/pour?bytes=${SIZE}`);
    expect(received.length).toBe(SIZE);
    expect((memory().peak - resident) / MIB).toBeLessThan(64);
  });
});

/** Sends that many bytes and reads the answer. */
async function exchange(path: string, bytes = 0): Promise<{ length: number; sha256: string; text: string }> {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(256 * 1024, 'cless');
  const sending = request({
    port: proxy.port,
    path,
    method: bytes > 0 ? 'POST' : 'GET',
    headers: { Host: 'web.example', ...(bytes > 0 && { 'Content-Length': bytes }) },
  });
  const answered = once(sending, 'response');
  for (let left = bytes; left > 0; left -= chunk.length) {
    hash.update(chunk);
    if (!sending.write(chunk)) await once(sending, 'drain');
  }
  sending.end();
  const [response] = await answered;
  let length = 0;
  let text = '';
  for await (const part of response) {
    length += part.length;
    if (text.length < 10_000) text += part.toString('latin1', 0, 10_000);
  }
  return { length, sha256: hash.digest('hex'), text };
}

test('5,000 idle connections with 500 WebSockets: others are served, in bounded memory', {
  timeout: 120_000,
}, async () => {
  await start({ CLESS_PAUSE_AFTER: '1s', CLESS_STOP_AFTER: '2s' });
  const { resident } = memory();
  const sockets: Socket[] = [];
  const open = async (head: string, answer: RegExp) => {
    const socket = connect(proxy.port, '127.0.0.1');
    sockets.push(socket);
    socket.write(head);
    let text = '';
    for await (const part of socket.iterator({ destroyOnReturn: false })) {
      text += part;
      if (answer.test(text)) return;
    }
    throw new Error(`closed after ${JSON.stringify(text)}`);
  };
  const idle = 'GET / HTTP/1.1\r\nHost: web.example\r\n\r\n';
  const webSocket =
    'GET / HTTP/1.1\r\nHost: web.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  for (let i = 0; i < 5_000; i += 250) {
    await Promise.all(Array.from({ length: 250 }, () => open(idle, /hello from web/)));
    await Promise.all(Array.from({ length: 25 }, () => open(webSocket, /101 Switching[\s\S]*\r\n\r\n/)));
  }
  expect((memory().resident - resident) / MIB).toBeLessThan(200);

  // The WebSockets keep the instance alive without other requests, for three times as long as it takes to stop an
  // idle one.
  await new Promise((resolve) => setTimeout(resolve, 3_500));
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  const statuses = await Promise.all(
    Array.from({ length: 1_000 }, async () => {
      const [response] = await once(
        request({ port: proxy.port, agent, headers: { Host: 'web.example' } }).end(),
        'response',
      );
      response.resume();
      await once(response, 'end');
      return response.statusCode;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  agent.destroy();
  const echoes = await Promise.all(
    sockets
      .filter((_, i) => i % 275 >= 250)
      .map(async (socket) => {
        // "hi", masked with zeros (RFC 6455 §5.2).
        socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
        const [frame] = await once(socket, 'data');
        return frame.toString('latin1').slice(-2);
      }),
  );
  expect(echoes).toHaveLength(500);
  expect(new Set(echoes)).toEqual(new Set(['hi']));
  for (const socket of sockets) socket.destroy();
});
