import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { FakeOutgoing } from '../exchange/fake-exchange.ts';
import type { ClientStream, UpgradeOffer } from '../exchange/upgrade-offer.ts';
import { Upgrades } from './upgrades.ts';

/** The client's side, which records what is written to it. */
class FakeStream extends Duplex implements ClientStream {
  written = '';

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, callback: () => void): void {
    this.written += chunk.toString('latin1');
    callback();
  }

  setTimeout(): void {}
}

class FakeOffer implements UpgradeOffer {
  readonly protocol: string;
  readonly stream = new FakeStream();
  readonly outgoing = new FakeOutgoing();
  accepted: readonly string[] | undefined;

  constructor(protocol: string) {
    this.protocol = protocol;
  }

  writeContinue(): void {}

  accept(headers: readonly string[]): Buffer {
    this.accepted = headers;
    return Buffer.from('early');
  }
}

let server: Server | undefined;
afterEach(() => server?.close());

const KEY = ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='];
const ACCEPT = 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** Sends an upgrade to an instance that answers so. */
async function upgrade(answer: string, { protocol = 'own', responseTimeoutMs = 500 } = {}) {
  const instances: Socket[] = [];
  let received = '';
  server = createServer((socket) => {
    instances.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      if (received === '' && answer !== '') socket.write(answer);
      received += chunk.toString('latin1');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const offer = new FakeOffer(protocol);
  const upgrades = new Upgrades();
  const status = upgrades.forward(
    {
      target: { instanceId: 'a', endpoint: { host: '127.0.0.1', port } },
      method: 'GET',
      path: '/up',
      headers: ['Host', 'web.test', ...KEY],
      answerHeaders: ['X-Request-Id', 'ours'],
      offer,
    },
    responseTimeoutMs,
  );
  status.catch(() => {});
  return { upgrades, offer, status, received: () => received, instance: () => instances[0] };
}

const switching = (protocol: string, more = '') =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${more}\r\n`;

test('the instance is asked for what the client offers, and both are joined', async () => {
  const { offer, status, received, instance } = await upgrade(
    `${switching('own', 'X-Request-Id: theirs\r\nX-A: 1\r\n')}hello`,
  );
  await expect.poll(() => offer.stream.written).toBe('hello');
  expect(received()).toMatch(/^GET \/up HTTP\/1\.1\r\n/);
  expect(received()).toMatch(/\r\nUpgrade: own\r\n/);
  expect(offer.accepted).toEqual([
    'Connection',
    'Upgrade',
    'Upgrade',
    'own',
    'X-A',
    '1',
    'X-Request-Id',
    'ours',
  ]);
  await expect.poll(received).toMatch(/early$/);
  offer.stream.push('more');
  await expect.poll(received).toMatch(/earlymore$/);
  instance()?.destroy();
  expect(await status).toBe(101);
  expect(offer.stream.destroyed).toBe(true);
});

describe('a 101 that is not the one that was asked for is none', () => {
  test.each([
    ['another protocol', switching('other'), 'own'],
    ['a WebSocket without its proof', switching('websocket'), 'websocket'],
    ['with a wrong one', switching('websocket', 'Sec-WebSocket-Accept: x\r\n'), 'websocket'],
  ])('%s', async (_, answer, protocol) => {
    const { status, offer } = await upgrade(answer, { protocol });
    await expect(status).rejects.toMatchObject({ code: 'UPSTREAM_INVALID', reached: 'sent' });
    expect(offer.accepted).toBeUndefined();
  });

  test('with the right one it is', async () => {
    const { status, upgrades, offer } = await upgrade(switching('websocket', `${ACCEPT}\r\n`), {
      protocol: 'websocket',
    });
    await expect.poll(() => offer.accepted).toContain('websocket');
    upgrades.destroy('a');
    expect(await status).toBe(101);
  });
});

test('a refusal goes to the client as it is', async () => {
  const { status, offer } = await upgrade('HTTP/1.1 403 No\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nnever');
  await expect.poll(() => offer.outgoing.writableEnded).toBe(true);
  offer.outgoing.close();
  expect(await status).toBe(403);
  expect(offer.outgoing).toMatchObject({ status: 403, body: 'never' });
  expect(offer.outgoing.headers).toEqual(['Content-Length', '5', 'X-A', '1', 'X-Request-Id', 'ours']);
});

test('one that breaks off is broken off', async () => {
  const { offer, instance } = await upgrade('HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nne');
  await expect.poll(() => offer.outgoing.body).toBe('ne');
  instance()?.destroy();
  await expect.poll(() => offer.outgoing.destroyed).toBe(true);
});

test('one that cannot be passed on is none', async () => {
  const { status, offer } = await upgrade('HTTP/1.1 403 No\r\nTransfer-Encoding: gzip, chunked\r\n\r\n');
  await expect(status).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
  expect(offer.outgoing.status).toBeUndefined();
});

test('an instance that does not answer in time', async () => {
  const { status } = await upgrade('', { responseTimeoutMs: 10 });
  await expect(status).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
});

test('a connection that is closed without a byte', async () => {
  const { status, received, instance } = await upgrade('');
  await expect.poll(received).not.toBe('');
  instance()?.destroy();
  await expect(status).rejects.toMatchObject({ code: 'UPSTREAM_DISCONNECTED', reached: 'closed' });
});

test('a client that leaves takes the connection with it', async () => {
  const { offer, status, received, instance } = await upgrade('');
  await expect.poll(received).not.toBe('');
  offer.stream.destroy();
  await expect(status).rejects.toMatchObject({ code: 'UPSTREAM_DISCONNECTED' });
  await expect.poll(() => instance()?.destroyed).toBe(true);
});
