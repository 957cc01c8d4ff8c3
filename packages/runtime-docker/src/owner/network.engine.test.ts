import { execFileSync } from 'node:child_process';
import { cleanUp, noEngine, OwnEngine, sampleImage } from '@cless/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DockerRuntime } from '../runtime.ts';

/*
 * The effect of `docker system prune` and the like on an owner's network, with an engine of its own that allows 16
 * networks.
 */

const skip = noEngine ?? OwnEngine.impossible;
const owner = `network-${process.pid}`;
const image = `network-${process.pid}`;
const name = `cless-${owner}`;
const at = (service: string) => ({ service, revision: 'r1', image, port: 8080 });
const services = ['one', 'two', 'three', 'four'];

let engine: OwnEngine;
let runtime: DockerRuntime;

function createRuntime(from = 18400, whose = owner): DockerRuntime {
  return new DockerRuntime({ owner: whose, ports: { from, to: from + 19 }, engine: engine.address });
}

async function networks(): Promise<string[]> {
  return (await engine.docker('network', 'ls', '-q', '--no-trunc', '--filter', `name=^${name}$`))
    .split('\n')
    .filter((id) => id !== '');
}

/** By the engine's API: the docker command itself refuses duplicates. */
function createDuplicate(): void {
  const body = JSON.stringify({ Name: name, CheckDuplicate: false });
  const socket = engine.address.slice('unix://'.length);
  const json = ['-H', 'Content-Type: application/json', '-d', body];
  execFileSync('curl', ['-sSf', '--unix-socket', socket, ...json, 'http://docker/networks/create']);
}

describe.skipIf(skip !== undefined)(
  `networks come and go${skip === undefined ? '' : ` (skipped: ${skip})`}`,
  () => {
    beforeAll(async () => {
      engine = new OwnEngine('--default-address-pool', 'base=10.213.0.0/22,size=26');
      await engine.start();
      await engine.load(await sampleImage(image));
      runtime = createRuntime();
    });

    afterEach(async () => {
      for (const { id } of await runtime.list()) await runtime.stop(id, { graceMs: 0 });
    });

    afterAll(async () => {
      await engine.remove();
      await cleanUp(owner, [image]);
    });

    test('after each prune all that are asked for at once start, on one network', async () => {
      await runtime.prepare();
      for (let round = 1; round <= 4; round++) {
        await engine.docker(...(round % 2 === 0 ? ['network', 'prune', '-f'] : ['network', 'rm', name]));
        const started = await Promise.all(services.map((service) => runtime.start(at(service))));
        expect(started.map(({ state }) => state)).toEqual(services.map(() => 'running'));
        expect(await networks()).toHaveLength(1);
        await Promise.all(started.map(({ id }) => runtime.stop(id, { graceMs: 0 })));
      }
    });

    test('runtimes of one owner may start at once; those that come later need no healing', async () => {
      for (let round = 1; round <= 3; round++) {
        await runtime.close();
        const all = [0, 1, 2, 3].map((i) => createRuntime(18420 + i * 20));
        const started = await Promise.all(all.map((one, i) => one.start(at(`service-${i}`))));
        expect(started).toHaveLength(4);
        for (const { id } of started) await runtime.stop(id, { graceMs: 0 });
        const later = await createRuntime().start(at('later'));
        expect(await networks()).toHaveLength(1);
        await runtime.stop(later.id, { graceMs: 0 });
      }
    });

    test('several networks of one name, as older versions have left them, are healed', async () => {
      for (let i = 0; i < 3; i++) createDuplicate();
      expect((await networks()).length).toBeGreaterThan(2);
      const { id } = await createRuntime().start(at('web'));
      expect(await networks()).toHaveLength(1);
      await runtime.stop(id, { graceMs: 0 });
      for (let i = 0; i < 2; i++) createDuplicate();
      await runtime.close();
      expect(await networks()).toEqual([]);
    });

    test('a network that goes between create and start, and one that goes with all else', async () => {
      for (let round = 1; round <= 3; round++) {
        const created: string[] = [];
        const instance = await runtime.start(at('web'), {
          onCreated: (id) => {
            created.push(id);
            if (created.length === 1)
              execFileSync('docker', ['-H', engine.address, 'network', 'rm', name], { stdio: 'ignore' });
          },
        });
        expect(created).toHaveLength(2);
        expect(instance.id).toBe(created[1]);
        expect((await runtime.list()).map(({ id }) => id)).toEqual([instance.id]);
        await runtime.stop(instance.id, { graceMs: 0 });
      }
      // Used by a container, or the image would be pruned too.
      await engine.docker('create', '--name', 'holder', image);
      await engine.docker('network', 'prune', '-f');
      await engine.kill();
      await engine.start();
      const started = await Promise.all(services.map((service) => runtime.start(at(service))));
      expect(await networks()).toHaveLength(1);
      await Promise.all(started.map(({ id }) => runtime.stop(id, { graceMs: 0 })));
      await engine.docker('rm', 'holder');
    });

    test('networks of owners that are gone make room; an owner that lives makes its own again', async () => {
      const living = createRuntime(18440, `${owner}-living`);
      await living.prepare();
      for (let i = 0; i < 16; i++) {
        const labels = ['--label', 'cless.managed=true', '--label', `cless.owner=gone-${i}`];
        await engine.docker('network', 'create', ...labels, `cless-gone-${i}`).catch(() => {});
      }
      await engine.docker('network', 'rm', name).catch(() => {});
      await engine.docker('network', 'create', 'strangers').catch(() => {});
      const { id } = await runtime.start(at('web'));
      expect(await engine.docker('network', 'ls', '--format', '{{.Name}}')).not.toContain('gone-');
      const theirs = await living.start(at('web'));
      await living.stop(theirs.id, { graceMs: 0 });
      await living.close();
      await runtime.stop(id, { graceMs: 0 });
      await runtime.close();

      for (let i = 0; i < 16; i++) await engine.docker('network', 'create', `strangers-${i}`).catch(() => {});
      await expect(runtime.start(at('web'))).rejects.toMatchObject({
        code: 'NO_ADDRESS_POOL',
        message: expect.stringContaining('no address pool left'),
      });
      expect(await runtime.list()).toEqual([]);
      await engine.docker('network', 'prune', '-f');
      const again = await runtime.start(at('web'));
      await runtime.stop(again.id, { graceMs: 0 });
    });

    test('with everything pruned there is no image; when it is back, so is the service', async () => {
      await engine.docker('system', 'prune', '-af');
      await expect(runtime.start(at('web'))).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
      expect(await runtime.list()).toEqual([]);
      await engine.load(image);
      const { state } = await runtime.start(at('web'));
      expect(state).toBe('running');
    });
  },
);
