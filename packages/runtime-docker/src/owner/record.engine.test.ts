import { cleanUp, docker, noEngine, sampleImage } from '@cless/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Engine } from '../engine/engine.ts';
import { DockerRuntime } from '../runtime.ts';
import { OwnerRecord } from './record.ts';

const one = { id: 'one', directory: '/var/lib/one' };
const other = { id: 'other', directory: '/var/lib/other' };

describe.skipIf(noEngine !== undefined)('the record of an owner', () => {
  let owner: string;
  let count = 0;
  const record = (holder: typeof one) => new OwnerRecord(new Engine(), owner, holder);
  const volume = () => `cless.owner.${owner}`;

  beforeEach(() => {
    owner = `record-${process.pid}-${count++}`;
  });
  afterEach(() => cleanUp(owner));

  test('binds it to the first state directory; a second one is told of the first', async () => {
    await record(one).hold();
    await record(one).hold();
    const refused = record(other).hold();
    await expect(refused).rejects.toMatchObject({ code: 'OWNER_TAKEN' });
    await expect(refused).rejects.toMatchObject({ code: 'OWNER_TAKEN', owner, directory: '/var/lib/one' });
    const labels = JSON.parse(await docker('volume', 'inspect', '-f', '{{json .Labels}}', volume()));
    expect(labels).toEqual({
      'cless.managed': 'true',
      'cless.owner': owner,
      'cless.state': 'one',
      'cless.directory': '/var/lib/one',
    });
  });

  test('of several at the same moment one gets it', async () => {
    for (let round = 0; round < 20; round++) {
      const holders = Array.from({ length: 4 }, (_, i) => ({ id: `${i}`, directory: `/${i}` }));
      const results = await Promise.allSettled(holders.map((holder) => record(holder).hold()));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await docker('volume', 'rm', volume());
    }
  });

  test('is made again when it was pruned', async () => {
    const holding = record(one);
    await holding.hold();
    await docker('volume', 'rm', volume());
    await holding.hold();
    await expect(record(other).hold()).rejects.toMatchObject({ code: 'OWNER_TAKEN' });
  });

  test('can be taken over, which the one before is told', async () => {
    await record(one).hold();
    await record(other).hold({ takeOver: true });
    await record(other).hold({ takeOver: true });
    await record(other).hold();
    await expect(record(one).hold()).rejects.toMatchObject({ directory: '/var/lib/other' });
  });

  test('where it was pruned, containers tell whose the owner is; another state directory lists and starts nothing', async () => {
    const image = await sampleImage(`cless-record-${process.pid}`);
    const spec = { service: 'web', revision: '1', image, port: 8080 };
    try {
      const runtime = new DockerRuntime({ owner, holder: one });
      const { id } = await runtime.start(spec);
      await docker('volume', 'rm', volume());
      const stranger = new DockerRuntime({ owner, holder: other });
      await expect(stranger.list()).rejects.toMatchObject({ code: 'OWNER_TAKEN' });
      await expect(stranger.start(spec)).rejects.toMatchObject({ code: 'OWNER_TAKEN' });
      await expect(stranger.hold()).rejects.toMatchObject({ code: 'OWNER_TAKEN' });
      expect(await runtime.list()).toMatchObject([{ id, state: 'running' }]);
      const heir = new DockerRuntime({ owner, holder: { ...other, takeOver: true } });
      expect(await heir.list()).toMatchObject([{ id }]);
      await expect(runtime.hold()).rejects.toMatchObject({ code: 'OWNER_TAKEN' });
      await expect(runtime.list()).rejects.toMatchObject({ code: 'OWNER_TAKEN' });
      // Without a holder nothing is checked.
      expect(await new DockerRuntime({ owner }).list()).toMatchObject([{ id }]);
    } finally {
      await cleanUp(owner, [image]);
    }
  });
});
