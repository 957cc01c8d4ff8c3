import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Engine } from '../engine/engine.ts';
import { LABELS } from '../labels.ts';
import { JoinedNetworks, OwnNetwork } from './network.ts';

/*
 * Against a small engine that knows networks only and, as the real one at its worst, never notices that it has one of
 * the name.
 */

interface Network {
  readonly Id: string;
  readonly Name: string;
  readonly Created: string;
  readonly Labels: Readonly<Record<string, string>>;
}

const directory = mkdtempSync(join(tmpdir(), 'cless-networks-'));
const socket = join(directory, 'docker.sock');
const networks = new Map<string, Network>();
let containers: unknown = [];
let capacity = Number.POSITIVE_INFINITY;
let made = 0;
let server: Server;
let engine: Engine;

function add(name: string, owner?: string): string {
  made += 1;
  const id = `id${made}`;
  networks.set(id, {
    Id: id,
    Name: name,
    Created: new Date(made * 1000).toISOString(),
    Labels: owner === undefined ? {} : { [LABELS.managed]: 'true', [LABELS.owner]: owner },
  });
  return id;
}

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const json = (status: number, answer?: unknown) =>
      response
        .writeHead(status, { 'Content-Type': 'application/json' })
        .end(answer && JSON.stringify(answer));
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://docker');
    const id = pathname.split('/')[2];
    if (pathname === '/containers/json') json(200, containers);
    else if (pathname === '/networks/create') {
      const { Name, Labels } = JSON.parse(body);
      if (networks.size >= capacity)
        json(403, {
          message: 'could not find an available, non-overlapping IPv4 address pool among the defaults',
        });
      else json(201, { Id: add(Name, Labels[LABELS.owner]) });
    } else if (pathname === '/networks') {
      const { name = [], label = [] } = JSON.parse(searchParams.get('filters') ?? '{}');
      const found = [...networks.values()].filter(
        ({ Name, Labels }) =>
          name.every((part: string) => Name.includes(part)) &&
          label.every((pair: string) => `${LABELS.managed}=${Labels[LABELS.managed]}` === pair),
      );
      json(200, found.reverse());
    } else if (request.method === 'DELETE') json(networks.delete(id ?? '') ? 204 : 404);
    else {
      const found = [...networks.values()].find(({ Id, Name }) => Id === id || Name === id);
      if (found === undefined) json(404, { message: `network ${id} not found` });
      else json(200, found);
    }
  }).listen(socket);
  await once(server, 'listening');
  engine = new Engine(`unix://${socket}`);
});

beforeEach(() => {
  networks.clear();
  containers = [];
  capacity = Number.POSITIVE_INFINITY;
});

afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

test('a hundred that ask at once get the same one', async () => {
  const own = new OwnNetwork(engine, 'a');
  const ids = await Promise.all(Array.from({ length: 100 }, () => own.get()));
  expect(new Set(ids).size).toBe(1);
  expect([...networks.keys()]).toEqual([ids[0]]);
});

test('only the one that has failed is forgotten: those that tell so late do no harm', async () => {
  const own = new OwnNetwork(engine, 'a');
  for (let round = 0; round < 10; round++) {
    const pruned = await own.get();
    networks.clear();
    const ids = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        for (let turn = 0; turn < i; turn++) await new Promise(setImmediate);
        own.forget(pruned);
        return own.get();
      }),
    );
    expect(new Set(ids).size).toBe(1);
    expect([...networks.keys()]).toEqual([ids[0]]);
  }
});

test('several owners’ runtimes at once, and what was there before: the oldest stays, the others go', async () => {
  for (let round = 0; round < 10; round++) {
    networks.clear();
    await Promise.all(Array.from({ length: 8 }, () => new OwnNetwork(engine, 'a').get()));
    add('cless-a');
    const other = add('cless-a-b', 'a-b');
    const id = await new OwnNetwork(engine, 'a').get();
    expect([...networks.keys()]).toEqual([id, other]);
  }
});

test('what fails is asked for again the next time', async () => {
  const own = new OwnNetwork(engine, 'a');
  capacity = 0;
  await expect(own.get()).rejects.toMatchObject({ code: 'NO_ADDRESS_POOL' });
  capacity = 1;
  expect(await own.get()).toBe([...networks.keys()][0]);
});

test('where there are no addresses left, the unused networks of other owners go, and only those', async () => {
  add('cless-gone', 'gone');
  const strangers = add('theirs');
  const byName = add('cless-busy', 'busy');
  const byId = add('cless-busy2', 'busy2');
  containers = [{ HostConfig: { NetworkMode: 'cless-busy' } }, { HostConfig: { NetworkMode: byId } }];
  capacity = 4;
  const id = await new OwnNetwork(engine, 'a').get();
  expect([...networks.keys()]).toEqual([strangers, byName, byId, id]);

  capacity = 0;
  await expect(new OwnNetwork(engine, 'b').get()).rejects.toMatchObject({
    code: 'NO_ADDRESS_POOL',
    message: expect.stringMatching(/no address pool left for the network cless-b.*default-address-pools/),
  });
});

test.each([{ message: 'no list' }, 'garbage', null])(
  'where there are no addresses left, and the list of containers is %j, no network is removed',
  async (listed) => {
    const foreign = add('cless-gone', 'gone');
    containers = listed;
    capacity = 1;
    await expect(new OwnNetwork(engine, 'a').get()).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' });
    expect([...networks.keys()]).toEqual([foreign]);
  },
);

test('remove takes all of its name', async () => {
  add('cless-a', 'a');
  add('cless-a');
  const other = add('cless-ab', 'ab');
  await new OwnNetwork(engine, 'a').remove();
  expect([...networks.keys()]).toEqual([other]);
});

test('to be joined are networks that are there, and neither the engine’s nor an installation’s', async () => {
  const joined = new JoinedNetworks(engine);
  const backend = add('backend');
  const bridge = add('bridge');
  const foreign = add('cless-b', 'b');
  expect(await joined.find(['backend', backend])).toEqual([backend, backend]);
  expect(await joined.find([])).toEqual([]);
  await expect(joined.find(['backend', 'nonet'])).rejects.toMatchObject({
    code: 'NETWORK_NOT_FOUND',
    network: 'nonet',
    message: expect.stringContaining('network nonet is not there'),
  });
  for (const name of ['bridge', bridge, 'cless-b', foreign])
    await expect(joined.find([name]), name).rejects.toThrow(`network ${name} cannot be joined`);
});
