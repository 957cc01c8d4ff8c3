import {
  attack,
  type ClientHead,
  clientHeads,
  type EdgeUnderTest,
  FIRST,
  inParallel,
  Nginx,
  type Outcome,
  Witness,
} from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, WAYS } from './edge-under-test.ts';

/*
 * What real clients send first is answered as by nginx, and their instances get the same. This includes offers of h2c
 * and TLS, which are neither accepted nor refused.
 */

const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n';
const QUIET_MS = 300;

/** A WebSocket is taken by the instance, anything else is echoed. */
const input = ({ client, bytes }: ClientHead, before = '') => ({
  name: client,
  bytes: before + bytes,
  ...(/^upgrade: websocket/im.test(bytes) && { answer: SWITCHING }),
});

/** The parts of an outcome that matter to client and instance. A 100 is optional (RFC 9110 §10.1.1). */
function essence({ text, closed, arrived, faults }: Outcome) {
  const [head = '', ...body] = text
    .replace(/^(?:HTTP\/1\.1 1(?!01)\d\d[\s\S]*?\r\n\r\n)+/, '')
    .split('\r\n\r\n');
  return { status: head.split(' ')[1], body: body.join('\r\n\r\n'), closed, arrived, faults };
}

describe.each(WAYS)('the heads of real clients, over %s', (forwarder) => {
  let witness: Witness;
  let edge: EdgeUnderTest;
  let peer: Nginx | undefined;

  beforeAll(async () => {
    witness = await Witness.listen();
    edge = await startEdge(forwarder, { raw: witness.endpoint }, { responseTimeoutMs: 2_000 });
    if (Nginx.program !== undefined) peer = await Nginx.start(witness.endpoint);
  });

  afterAll(async () => {
    await edge.close();
    peer?.stop();
    witness.stop();
  });

  test.skipIf(Nginx.program === undefined)('are answered as nginx does', async () => {
    const [ours, theirs]: Record<string, unknown>[] = [{}, {}];
    await inParallel(clientHeads, 20, async (head) => {
      const name = `${head.client} ${head.version}`;
      if (ours) ours[name] = essence(await attack(edge.port, witness, input(head), { quietMs: QUIET_MS }));
      if (theirs)
        theirs[name] = essence(await attack(peer?.port ?? 0, witness, input(head), { quietMs: QUIET_MS }));
    });
    expect(ours).toEqual(theirs);
    expect(Object.keys(ours ?? {})).toHaveLength(clientHeads.length);
  });

  test('are answered behind another request as they are alone', async () => {
    const first = await attack(edge.port, witness, { bytes: FIRST }, { quietMs: QUIET_MS });
    await inParallel(clientHeads, 20, async (head) => {
      const alone = await attack(edge.port, witness, input(head), { quietMs: QUIET_MS });
      expect([head.client, essence(alone).status]).toEqual([head.client, input(head).answer ? '101' : '200']);
      const behind = await attack(edge.port, witness, input(head, FIRST), { quietMs: QUIET_MS });
      expect([head.client, behind]).toEqual([
        head.client,
        { ...alone, text: first.text + alone.text, arrived: [...first.arrived, ...alone.arrived] },
      ]);
    });
  });
});
