import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { typeOf } from '@cless/model';
import {
  type Answer,
  cleanUp,
  docker,
  dockerLines,
  noEngine,
  type ProxyProcess,
  sampleImage,
  stateDirectory,
} from '@cless/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { requestsOf } from './admin.ts';
import { PROXY } from './proxy.ts';

const owner = `test-zero-${process.pid}`;
const suffix = `-${owner}`;
const images: string[] = [];
const state = stateDirectory();
const host = 'zero.cless.cloud';
const settings = {
  CLESS_OWNER: owner,
  CLESS_IMAGE_SUFFIX: suffix,
  CLESS_STATE_DIR: state.path,
  CLESS_PORT_RANGE: '19300-19400',
  CLESS_STOP_GRACE: '2s',
};
let proxy: ProxyProcess;

const containers = (...filters: string[]) =>
  dockerLines(
    'ps',
    '-aq',
    '--no-trunc',
    '--filter',
    `label=cless.owner=${owner}`,
    ...filters.flatMap((filter) => ['--filter', filter]),
  );

describe.skipIf(noEngine !== undefined)(
  `scale to zero${noEngine === undefined ? '' : ` (skipped: ${noEngine})`}`,
  () => {
    beforeAll(async () => {
      images.push(await sampleImage(`zero${suffix}`));
    });

    afterEach(async () => {
      await proxy.stop();
      expect(await containers()).toEqual([]);
    });

    afterAll(async () => {
      await cleanUp(owner, images);
      state.remove();
    });

    test('idle: paused, then stopped and removed; a request resumes, or starts anew', async () => {
      proxy = await PROXY.start({ ...settings, CLESS_PAUSE_AFTER: '300ms', CLESS_STOP_AFTER: '2s' });
      const first = await proxy.fetch(host);
      await expect.poll(() => containers('status=paused')).toHaveLength(1);
      const resumed = await proxy.fetch(host);
      expect(resumed.headers['server-timing']).toMatch(/^cless-resume;dur=/);
      expect(resumed.headers['x-instance']).toBe(first.headers['x-instance']);
      await expect.poll(() => containers(), { timeout: 10_000 }).toEqual([]);
      const anew = await proxy.fetch(host);
      expect(anew.headers['server-timing']).toMatch(/^cless-cold;dur=/);
      expect(anew.headers['x-instance']).not.toBe(first.headers['x-instance']);
    });

    test('2,000 requests at random moments around pauses and stops: all answered, no POST executed twice', {
      timeout: 180_000,
    }, async () => {
      proxy = await PROXY.start({
        ...settings,
        CLESS_PAUSE_AFTER: '50ms',
        CLESS_STOP_AFTER: '400ms',
        CLESS_STOP_GRACE: '10s',
      });
      const executed = followLogs();
      let seed = 20261124;
      const random = () => {
        seed = (seed * 1103515245 + 12345) % 2 ** 31;
        return seed / 2 ** 31;
      };
      const answers: Promise<Answer>[] = [];
      for (let i = 0; i < 2000; i++) {
        // Bursts, pauses of about the pause time, and now and then one of about the stop time.
        const dice = random();
        if (dice < 0.03) await sleep(300 + random() * 300);
        else if (dice < 0.25) await sleep(30 + random() * 60);
        const answer =
          i % 4 === 0
            ? proxy.fetch(host, `/once?id=${i}`, { method: 'POST', body: `body of ${i}` })
            : proxy.fetch(host, `/${i}`);
        answer.catch(() => {});
        answers.push(answer);
      }
      const wrong = (await Promise.all(answers))
        .map(({ status, text }, i) => ({ i, status, text }))
        .filter(
          ({ i, status, text }) =>
            status !== 200 || text !== (i % 4 === 0 ? `body of ${i}` : `hello from zero at /${i}\n`),
        );
      expect(wrong).toEqual([]);
      expect(proxy.logged('paused').length).toBeGreaterThan(50);
      expect(proxy.logged('stopped (idle)').length).toBeGreaterThan(10);

      await expect.poll(() => containers(), { timeout: 10_000 }).toEqual([]);
      const ids = await executed.stop();
      expect(ids.length).toBe(new Set(ids).size);
      expect(ids.length).toBeGreaterThan(400); // the followers may miss the very last words of a container
    });

    test('a WebSocket that is silent for ten times the stop time stays open', async () => {
      proxy = await PROXY.start({
        ...settings,
        CLESS_PAUSE_AFTER: '100ms',
        CLESS_STOP_AFTER: '300ms',
      });
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`, { headers: { host } });
      await once(socket, 'open');
      await sleep(3000);
      expect(await containers('status=running')).toHaveLength(1);
      socket.send('still there');
      const [message] = (await once(socket, 'message')) as [Buffer];
      expect(message.toString()).toBe('still there');
      socket.close();
      await expect.poll(() => containers(), { timeout: 10_000 }).toEqual([]);
    });

    test('an event stream holds its instance, too', async () => {
      proxy = await PROXY.start({ ...settings, CLESS_PAUSE_AFTER: '50ms', CLESS_STOP_AFTER: '200ms' });
      const answer = await proxy.fetch(host, '/events?count=4&every=500');
      expect(answer.text).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n');
      expect(proxy.logged('paused')).toEqual([]);
    });

    test.each(['kill', 'rm -f', 'stop -t 0'])(
      'docker %s while idle: the next request starts a new one',
      async (command) => {
        proxy = await PROXY.start(settings);
        const before = await proxy.fetch(host);
        const [id = ''] = await containers();
        await docker(...command.split(' '), id);
        await expect.poll(() => containers()).toEqual([]);
        const after = await proxy.fetch(host);
        expect(after.status).toBe(200);
        expect(after.headers['x-instance']).not.toBe(before.headers['x-instance']);
      },
    );

    test('docker kill in the middle of answers: they break off visibly, and the next is answered by a new one', async () => {
      proxy = await PROXY.start(settings);
      await proxy.fetch(host);
      const [id = ''] = await containers();
      const streams = Array.from({ length: 5 }, () => proxy.fetch(host, '/events?count=1000&every=20'));
      for (const stream of streams) stream.catch(() => {});
      // A GET would be sent once more, to the next one.
      const slow = proxy.fetch(host, '/slow?ms=60000', { method: 'POST' });
      await expect.poll(() => docker('logs', id)).toContain('slow began');
      await docker('kill', id);
      for (const stream of streams) await expect(stream).rejects.toThrow();
      expect(await slow).toMatchObject({ status: 502 });
      expect((await slow).json().type).toBe(typeOf('upstream-disconnected'));
      expect(await proxy.fetch(host)).toMatchObject({ status: 200 });
    });

    test('docker kill while it starts: the waiting request is told so', async () => {
      images.push(await sampleImage(`slowly${suffix}`, { START_DELAY_MS: '20000' }));
      proxy = await PROXY.start(settings);
      const waiting = proxy.fetch('slowly.cless.cloud');
      await expect.poll(() => proxy.logged('slowly started'), { timeout: 10_000 }).toHaveLength(1);
      const [id = ''] = await containers();
      await docker('kill', id);
      expect((await waiting).json()).toMatchObject({ type: typeOf('start-failed'), status: 502 });
    });

    test('docker pause is no death: an open answer goes on, the next request resumes it', async () => {
      proxy = await PROXY.start(settings);
      const before = await proxy.fetch(host);
      const [id = ''] = await containers();
      const stream = proxy.fetch(host, '/events?count=20&every=50');
      await expect.poll(() => docker('logs', id)).toBeDefined();
      await docker('pause', id);
      expect((await stream).text).toContain('data: 20');
      await docker('pause', id);
      await expect.poll(() => proxy.logged('paused by hand').length).toBeGreaterThanOrEqual(1);
      const after = await proxy.fetch(host);
      expect(after.headers['x-instance']).toBe(before.headers['x-instance']);
    });

    test('SIGKILL of the proxy under load, and a successor: no container leaked, no second one', async () => {
      proxy = await PROXY.start(settings);
      const before = await proxy.fetch(host);
      let loading = true;
      const load = (async () => {
        while (loading) await Promise.all([proxy.fetch(host).catch(() => {}), sleep(5)]);
      })();
      await sleep(300);
      await proxy.stop('SIGKILL');
      proxy = await PROXY.start(settings);
      const after = await Promise.all(Array.from({ length: 20 }, () => proxy.fetch(host)));
      for (const { status, headers } of after)
        expect([status, headers['x-instance']]).toEqual([200, before.headers['x-instance']]);
      loading = false;
      await load;
      expect(proxy.logged('zero adopted')).toHaveLength(1);
      expect(await containers()).toHaveLength(1);
    });

    test('SIGKILL in the middle of a start: the successor finds or removes what was begun', {
      timeout: 120_000,
    }, async () => {
      for (const afterMs of [5, 20, 60, 120, 200, 300]) {
        proxy = await PROXY.start(settings);
        proxy.fetch(host).catch(() => {});
        await sleep(afterMs);
        await proxy.stop('SIGKILL');
        proxy = await PROXY.start(settings);
        expect(await proxy.fetch(host)).toMatchObject({ status: 200 });
        expect(await containers()).toHaveLength(1);
        await proxy.stop();
        expect(await containers()).toEqual([]);
      }
    });

    test.each(['running', 'paused'])(
      'CLESS_ON_EXIT=keep: the successor adopts a %s container, without a cold start',
      async (status) => {
        const pause = status === 'paused' ? '100ms' : 'never';
        proxy = await PROXY.start({ ...settings, CLESS_ON_EXIT: 'keep', CLESS_PAUSE_AFTER: pause });
        const before = await proxy.fetch(host);
        await expect.poll(() => containers(`status=${status}`)).toHaveLength(1);
        expect(await proxy.stop()).toBe(0);
        expect(await containers(`status=${status}`)).toHaveLength(1);
        proxy = await PROXY.start(settings);
        const after = await proxy.fetch(host);
        expect(after.headers['x-instance']).toBe(before.headers['x-instance']);
      },
    );

    test('a retagged image is a new revision; a long answer of the old one is finished', async () => {
      const name = `moving${suffix}`;
      images.push(await sampleImage(name, { VERSION: '1' }));
      proxy = await PROXY.start(settings);
      const version = async () =>
        JSON.parse((await proxy.fetch('moving.cless.cloud', '/environment')).text).VERSION;
      expect(await version()).toBe('1');
      const long = proxy.fetch('moving.cless.cloud', '/slow?ms=2000');
      await sleep(100);
      await sampleImage(name, { VERSION: '2' });
      await expect.poll(version, { timeout: 10_000 }).toBe('2');
      expect((await long).text).toBe('at last\n');
      await expect.poll(() => containers('label=cless.service=moving'), { timeout: 10_000 }).toHaveLength(1);
    });

    test('two installations on one engine never touch each other’s containers, nor anybody else’s', async () => {
      const other = `${owner}-other`;
      const otherState = stateDirectory();
      const nobodys = await docker('run', '-d', `zero${suffix}`);
      proxy = await PROXY.start(settings);
      const second = await PROXY.start({
        ...settings,
        CLESS_OWNER: other,
        CLESS_STATE_DIR: otherState.path,
        CLESS_PORT_RANGE: '19401-19410',
      });
      try {
        await Promise.all([proxy.fetch(host), second.fetch(host)]);
        await proxy.stop();
        expect(await containers()).toEqual([]);
        expect(await second.fetch(host)).toMatchObject({ status: 200 });
        expect(await docker('inspect', '-f', '{{.State.Running}}', nobodys)).toBe('true');
      } finally {
        await second.stop();
        await docker('rm', '-f', nobodys);
        await cleanUp(other);
        otherState.remove();
      }
    });

    test('a second proxy on the same state directory is kept out', async () => {
      proxy = await PROXY.start(settings);
      await expect(PROXY.start(settings)).rejects.toThrow('another proxy uses the state directory');
    });

    test('a storm of twelve cold services: so many start at a time, all get their turn, warm ones do not feel it', {
      timeout: 120_000,
    }, async () => {
      const names = Array.from({ length: 12 }, (_, i) => `storm${i}`);
      for (const name of names) images.push(await sampleImage(name + suffix));
      proxy = await PROXY.start({ ...settings, CLESS_MAX_STARTS: '2' });
      await proxy.fetch(host);
      const storm = Promise.all(names.map((name) => proxy.fetch(`${name}.cless.cloud`)));
      let stormIsOver = false;
      void storm.finally(() => {
        stormIsOver = true;
      });
      while (!stormIsOver) expect((await proxy.fetch(host)).headers['server-timing']).toBeUndefined();
      for (const { status } of await storm) expect(status).toBe(200);
      // From the log: never more than two between their start and their readiness.
      let starting = 0;
      for (const { msg } of proxy.lines) {
        if (/storm\d+ created/.test(msg)) expect(++starting).toBeLessThanOrEqual(2);
        if (/storm\d+ ready/.test(msg)) starting -= 1;
      }
    });

    test('CLESS_MAX_INSTANCES: the least recently used idle one makes room, never one in use', async () => {
      for (const name of ['one', 'two', 'three']) images.push(await sampleImage(name + suffix));
      proxy = await PROXY.start({ ...settings, CLESS_MAX_INSTANCES: '2', CLESS_READY_TIMEOUT: '2s' });
      const inUse = proxy.fetch('one.cless.cloud', '/slow?ms=6000');
      await expect.poll(() => proxy.logged('one ready'), { timeout: 10_000 }).toHaveLength(1);
      await proxy.fetch('two.cless.cloud');
      expect(await proxy.fetch('three.cless.cloud')).toMatchObject({ status: 200 });
      expect(proxy.logged('two stopped (capacity)')).toHaveLength(1);
      const alsoInUse = proxy.fetch('three.cless.cloud', '/slow?ms=4000');
      await expect.poll(() => requestsOf('three', state.path)).toBe(1);
      const refused = await proxy.fetch('two.cless.cloud');
      expect([refused.status, refused.json().type]).toEqual([503, typeOf('capacity')]);
      expect((await inUse).text).toBe('at last\n');
      expect((await alsoInUse).text).toBe('at last\n');
    });
  },
);

/** Reads the ids of executed POSTs from the logs of all containers of this owner, as they come and go. */
function followLogs() {
  const ids: string[] = [];
  const followers: Promise<unknown>[] = [];
  const events = spawn('docker', [
    'events',
    '--filter',
    `label=cless.owner=${owner}`,
    '--filter',
    'event=start',
    '--format',
    '{{.ID}}',
  ]);
  events.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const id of text.trim().split('\n')) {
      const logs = spawn('docker', ['logs', '-f', id]);
      let output = '';
      logs.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
      followers.push(
        once(logs, 'close').then(() => {
          for (const [, executed] of output.matchAll(/^executed (\d+)$/gm))
            if (executed !== undefined) ids.push(executed);
        }),
      );
    }
  });
  return {
    async stop(): Promise<string[]> {
      events.kill();
      await Promise.all(followers);
      return ids;
    },
  };
}
