import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { typeOf } from '@cless/model';
import {
  cleanUp,
  docker,
  dockerLines,
  ImageRegistry,
  noEngine,
  type ProxyProcess,
  sampleImage,
  stateDirectory,
} from '@cless/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AdminClient, AdminEvent } from '../src/client/client.ts';
import { connect } from '../src/client/connection.ts';
import { PROXY } from './proxy.ts';

/*
 * Services as data, with the real proxy on a real engine: deploys, splits, rollbacks and removals while requests
 * flow.
 */

const owner = `test-services-${process.pid}`;
const sample = `sample-${owner}`;
const images: string[] = [];
let state: ReturnType<typeof stateDirectory>;
let proxy: ProxyProcess;
let client: AdminClient;

const containers = () => dockerLines('ps', '-aq', '--filter', `label=cless.owner=${owner}`);

async function start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  proxy = await PROXY.start({
    CLESS_OWNER: owner,
    CLESS_STATE_DIR: state.path,
    CLESS_PORT_RANGE: '19500-19600',
    CLESS_STOP_GRACE: '2s',
    ...settings,
  });
  client = connect({ stateDir: state.path }, {});
}

/** Makes a service with one revision. */
async function deploy(
  name: string,
  more: Partial<Parameters<AdminClient['deploy']>[1]> = {},
  options = {},
): Promise<string> {
  if ((await client.service(name)) === undefined) await client.putService(name, {});
  return (await client.deploy(name, { image: sample, ...more }, options)).name;
}

/** Sends requests continuously over kept connections until stopped, and records every answer that is not a 200. */
class Load {
  readonly failures: string[] = [];
  readonly revisions = new Map<string, number>();
  answered = 0;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #running: Promise<void>[];
  #stopped = false;

  constructor(port: number, host: string, clients = 8) {
    this.#running = Array.from({ length: clients }, (_, i) => this.#client(port, host, i));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    this.#agent.destroy();
  }

  /** Waits for that many more answers. */
  async more(answers: number): Promise<void> {
    const enough = this.answered + answers;
    while (this.answered < enough && this.failures.length === 0) await sleep(5);
  }

  async #client(port: number, host: string, number: number): Promise<void> {
    // Some requests only read, some write.
    const post = number % 2 === 1;
    while (!this.#stopped) {
      await new Promise<void>((resolve) => {
        const failed = (why: unknown) => {
          this.failures.push(String(why));
          resolve();
        };
        const sent = request(
          {
            port,
            host: '127.0.0.1',
            agent: this.#agent,
            headers: { Host: host },
            path: post ? '/echo' : '/environment',
            method: post ? 'POST' : 'GET',
          },
          (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (part: string) => (text += part));
            response.on('error', failed);
            response.on('end', () => {
              this.answered += 1;
              if (response.statusCode !== 200) failed(`${response.statusCode} ${text}`);
              else if (!post) this.#count(JSON.parse(text).K_REVISION);
              resolve();
            });
          },
        );
        sent.on('error', failed);
        sent.end(post ? 'some text' : undefined);
      });
      await sleep(1);
    }
  }

  #count(revision: string): void {
    this.revisions.set(revision, (this.revisions.get(revision) ?? 0) + 1);
  }
}

const revisionOf = async (host: string, headers: Record<string, string> = {}) =>
  (await proxy.fetch(host, '/environment', { headers })).json().K_REVISION;

describe.skipIf(noEngine !== undefined)(
  `services on an engine${noEngine === undefined ? '' : ` (skipped: ${noEngine})`}`,
  () => {
    beforeAll(async () => {
      images.push(await sampleImage(sample), await sampleImage(`web-${owner}`));
    });

    beforeEach(() => {
      state = stateDirectory();
    });

    afterEach(async () => {
      await proxy.stop();
      expect(await containers()).toEqual([]);
      // The next one's state directory is another: the owner is bound to this one.
      await cleanUp(owner);
      state.remove();
    });

    afterAll(() => cleanUp(owner, images));

    test('deploy, canary, rollback and removal under load: not one request fails', {
      timeout: 120_000,
    }, async () => {
      await start();
      const one = await deploy('web');
      const load = new Load(proxy.port, 'web.example');
      await load.more(200);
      const two = await deploy('web', { env: { VERSION: '2' } });
      await load.more(200);
      expect(await revisionOf('web.example')).toBe(two);
      await expect.poll(() => containers().then((all) => all.length), { timeout: 20_000 }).toBe(1);

      const three = await deploy('web', { env: { VERSION: '3' } }, { traffic: 10, tag: 'next' });
      load.revisions.clear();
      await load.more(2_000);
      const [threes = 0, twos = 0] = [three, two].map((name) => load.revisions.get(name));
      // Binomial, six standard deviations.
      const all = threes + twos;
      expect(Math.abs(threes - all * 0.1)).toBeLessThan(6 * Math.sqrt(all * 0.09));
      expect(await revisionOf('next--web.example')).toBe(three);

      await client.setTraffic('web', { splits: [{ revision: one, percent: 100 }], tags: {} });
      load.revisions.clear();
      await load.more(200);
      expect(await revisionOf('web.example')).toBe(one);
      await client.removeRevision('web', two);
      await client.removeRevision('web', three);
      await client.putService('web', { hosts: ['web.example', 'other.example'] });
      await load.more(200);
      await expect.poll(() => containers().then((all) => all.length), { timeout: 20_000 }).toBe(1);
      await load.stop();
      expect(load.failures).toEqual([]);

      // A removal under load: answers are complete, and later requests get a 404.
      const last = new Load(proxy.port, 'web.example');
      await last.more(100);
      await client.removeService('web');
      while (!last.failures.some((why) => why.startsWith('404'))) await sleep(5);
      await last.stop();
      expect(last.failures.filter((why) => !why.startsWith('404'))).toEqual([]);
      await expect.poll(containers, { timeout: 20_000 }).toEqual([]);
    });

    test('deploys one after the other under load, many times', { timeout: 180_000 }, async () => {
      await start();
      await deploy('web');
      const load = new Load(proxy.port, 'web.example', 4);
      for (let i = 0; i < 15; i++) await deploy('web', { env: { N: String(i) } });
      await load.more(50);
      await load.stop();
      expect(load.failures).toEqual([]);
      expect(load.revisions.size).toBeGreaterThan(10);
    });

    test('one that does not get ready gets no traffic, and the deploy says why', async () => {
      await start();
      const good = await deploy('web');
      const exited = deploy('web', { env: { EXIT_CODE: '3' } });
      await expect(exited).rejects.toMatchObject({
        problem: {
          type: typeOf('deploy-failed'),
          revision: 'web-00002',
          detail: expect.stringContaining('exited with code 3'),
          lastLogLines: ['first I looked around', 'then I gave up: no database'],
        },
      });
      const silent = deploy('web', {
        env: { NEVER_LISTEN: '1' },
        readiness: { kind: 'http', timeout: '500ms' },
      });
      await expect(silent).rejects.toMatchObject({ problem: { detail: expect.stringContaining('ready') } });
      const missing = deploy('web', { entrypoint: ['/no/such/program'] });
      await expect(missing).rejects.toMatchObject({ code: 'DEPLOY_FAILED' });
      expect(await revisionOf('web.example')).toBe(good);
      expect((await client.revisions('web')).map(({ state: how }) => how)).toEqual([
        'failed',
        'failed',
        'failed',
        'ready',
      ]);
      await expect.poll(() => containers().then((all) => all.length), { timeout: 10_000 }).toBe(1);
    });

    test('a proxy that is killed comes back with everything, and adopts what runs', async () => {
      await start();
      const one = await deploy('web');
      await deploy(
        'web',
        { env: { N: '2' }, secrets: { KEY: 'hidden-value' } },
        { traffic: 50, tag: 'next' },
      );
      await client.putService('web', { hosts: ['web.example'], sticky: true });
      const before = await client.service('web');
      const instances = new Set((await client.instances()).map(({ id }) => id));
      const owned = await containers();
      await proxy.stop('SIGKILL');

      await start();
      expect(await client.service('web')).toEqual(before);
      expect((await client.revisions('web')).map(({ secretNames }) => secretNames)).toEqual([['KEY'], []]);
      const environment = (await proxy.fetch('next--web.example', '/environment')).json();
      expect(environment).toMatchObject({
        K_SERVICE: 'web',
        K_REVISION: 'web-00002',
        KEY: 'hidden-value',
        N: '2',
      });
      expect(await revisionOf('web.example', { Cookie: `cless-revision=${one}` })).toBe(one);
      expect(new Set((await client.instances()).map(({ id }) => id))).toEqual(instances);
      expect((await containers()).sort()).toEqual(owned.sort());
    });

    test('a revision stays what it was when its tag moves on', async () => {
      await start();
      await docker('tag', `web-${owner}`, `moving-${owner}`);
      images.push(`moving-${owner}`);
      const one = await deploy('web', { image: `moving-${owner}` });
      const [before] = await client.revisions('web');
      images.push(await sampleImage(`moving-${owner}`, { NEW: 'yes' }));
      await client.stop((await client.instances('web'))[0]?.id ?? '');
      await expect.poll(containers, { timeout: 10_000 }).toEqual([]);
      const environment = (await proxy.fetch('web.example', '/environment')).json();
      expect(environment).toMatchObject({ K_REVISION: one });
      expect(environment).not.toHaveProperty('NEW');
      await deploy('web', { image: `moving-${owner}` }, { ifChanged: true });
      expect((await proxy.fetch('web.example', '/environment')).json()).toMatchObject({
        NEW: 'yes',
        K_REVISION: 'web-00002',
      });
      expect((await client.revisions('web'))[0]?.imageId).not.toBe(before?.imageId);
    });

    test('header, cookie and tag choose a revision', async () => {
      await start();
      const [one, two] = [
        await deploy('web'),
        await deploy('web', { env: { N: '2' } }, { traffic: 50, tag: 'next' }),
      ];
      expect(await revisionOf('next--web.example')).toBe(two);
      await client.putService('web', { revisionHeader: true });
      for (const name of [one, two])
        expect(await revisionOf('web.example', { 'X-Cless-Revision': name })).toBe(name);
      const none = await proxy.fetch('web.example', '/', { headers: { 'X-Cless-Revision': 'web-00009' } });
      expect([none.status, none.json().type]).toEqual([404, typeOf('revision-not-found')]);

      await client.putService('web', { sticky: true });
      const [cookie = ''] = [(await proxy.fetch('web.example', '/')).headers['set-cookie']].flat();
      const chosen = /^cless-revision=(web-0000[12]);/.exec(cookie)?.[1];
      for (let i = 0; i < 20; i++)
        expect(await revisionOf('web.example', { Cookie: cookie.split(';')[0] ?? '' })).toBe(chosen);
      expect((await proxy.fetch('other--web.example')).status).toBe(404);
    });

    test('secrets reach the container, and nothing else', async () => {
      await start({ CLESS_LOG_LEVEL: 'trace' });
      const events: AdminEvent[] = [];
      const stop = new AbortController();
      const listening = (async () => {
        for await (const event of client.events({ signal: stop.signal })) events.push(event);
      })().catch(() => {});
      const secrets = { KEY: 'hidden-value-1' };
      await deploy('web', { secrets });
      expect((await proxy.fetch('web.example', '/environment')).json()).toMatchObject({
        KEY: 'hidden-value-1',
      });
      const failure = await deploy('web', {
        secrets,
        entrypoint: ['sh', '-c', 'echo "the key is $KEY"; exit 3'],
      }).catch((error) => error);
      expect(failure.problem.lastLogLines).toEqual(['the key is [secret]']);
      await deploy('web', {
        secrets,
        entrypoint: ['sh', '-c', 'echo "my key: $KEY"; exec node /app/sample-upstream.ts'],
      });
      const lines: string[] = [];
      const instance = (await client.instances('web')).find(({ revision }) => revision === 'web-00003');
      for await (const line of client.logs(instance?.id ?? '')) lines.push(line);
      expect(lines).toContain('my key: [secret]');

      await expect.poll(() => events.filter(({ type }) => type === 'deployed').length).toBe(2);
      stop.abort();
      await listening;
      const all = [
        proxy.lines,
        events,
        failure,
        await client.services(),
        await client.revisions('web'),
        await client.preview('web', { image: sample }),
      ];
      expect(JSON.stringify(all)).not.toContain('hidden-value');
    });

    test('monitors and crawlers neither wake a service nor keep it awake', async () => {
      await start({ CLESS_PAUSE_AFTER: '700ms', CLESS_STOP_AFTER: '2500ms' });
      await deploy('web');
      await client.putService('web', {
        wakeFilter: {
          paths: ['/health'],
          userAgents: ['UptimeRobot'],
          answer: { status: 200, contentType: 'text/plain', body: 'asleep\n' },
        },
      });
      const monitor = { 'User-Agent': 'Mozilla/5.0 (compatible; UptimeRobot/2.0)' };
      expect((await proxy.fetch('web.example', '/health')).text).toMatch(/^hello/);
      for (let i = 0; i < 200 && (await containers()).length > 0; i++) {
        const { status } = await proxy.fetch('web.example', i % 2 === 0 ? '/health' : '/', {
          headers: i % 2 === 0 ? {} : monitor,
        });
        expect(status).toBe(200);
        await sleep(50);
      }
      expect(await containers()).toEqual([]);
      expect((await proxy.fetch('web.example', '/', { headers: monitor })).text).toBe('asleep\n');
      await client.putService('web', { wakeFilter: { paths: ['/health'], userAgents: [] } });
      const refused = await proxy.fetch('web.example', '/health?deep');
      expect([refused.status, refused.json().type, refused.headers['retry-after']]).toEqual([
        503,
        typeOf('asleep'),
        '60',
      ]);
      expect(await containers()).toEqual([]);
      expect((await proxy.fetch('web.example', '/')).text).toMatch(/^hello/);
    });

    test('an instance that is stopped by hand finishes its streams, others are served by a new one', async () => {
      await start();
      await deploy('web');
      const [instance] = await client.instances('web');
      const stream = proxy.fetch('web.example', '/events?count=30&every=50');
      await expect.poll(async () => (await client.instances('web'))[0]?.requests).toBe(1);
      await client.stop(instance?.id ?? '');
      const other = await proxy.fetch('web.example');
      expect(other.status).toBe(200);
      expect((await client.instances('web')).map(({ state: how }) => how).sort()).toEqual([
        'ready',
        'stopping',
      ]);
      expect((await stream).text).toContain('data: 30\n');
      await expect
        .poll(() => client.instances('web').then((all) => all.map(({ id }) => id === instance?.id)))
        .toEqual([false]);
    });

    test('a deploy pulls when it is told to, with progress', async () => {
      await start();
      const registry = await ImageRegistry.start();
      images.push(registry.image);
      try {
        await client.putService('small', {});
        await expect(client.deploy('small', { image: registry.image })).rejects.toMatchObject({
          code: 'IMAGE_NOT_FOUND',
        });
        expect(registry.asked).toEqual([]);
        const progress: string[] = [];
        // It has no program: the pull goes well, the start does not.
        const pulled = client.deploy(
          'small',
          { image: registry.image },
          { pull: true },
          ({ step, message }) => progress.push(`${step} ${message}`),
        );
        await expect(pulled).rejects.toMatchObject({ code: 'DEPLOY_FAILED' });
        expect(progress.join('\n')).toMatch(
          /pulling latest: Pulling from small[\s\S]*created revision small-00001/,
        );
      } finally {
        registry.stop();
      }
    });

    test('registered services only, and hosts that only look like theirs', async () => {
      await start({ CLESS_CONVENTION: 'off' });
      await deploy('golang');
      await client.putService('golang', { hosts: ['golang.cless.cloud'] });
      expect((await proxy.fetch('golang.cless.cloud')).status).toBe(200);
      for (const host of [
        'evilgolang.cless.cloud',
        'golang.cless.cloud.evil.example',
        `web-${owner}`,
        'golang.other.example',
      ]) {
        expect((await proxy.fetch(host)).json()).toMatchObject({ type: typeOf('service-not-found') });
      }
    });

    test('the operator allows folders of the host, a deploy does not', async () => {
      await start({ CLESS_HOST_PATHS: '/srv' });
      const refused = deploy('web', { volumes: [{ source: '/etc', target: '/data', readOnly: true }] });
      await expect(refused).rejects.toMatchObject({
        problem: {
          status: 422,
          errors: [{ pointer: '#/volumes/0/source', detail: expect.stringContaining('allowed are /srv') }],
        },
      });
      expect(await client.revisions('web')).toEqual([]);
      const allowed = await deploy('web', { volumes: [{ source: '/srv', target: '/data', readOnly: true }] });
      expect(await revisionOf('web.example')).toBe(allowed);
    });

    test('what happens is told: to Prometheus, and as events', async () => {
      await start({ CLESS_PAUSE_AFTER: '300ms' });
      await deploy('web');
      await expect.poll(async () => (await client.instances('web'))[0]?.state).toBe('paused');
      await proxy.fetch('web.example');
      await proxy.fetch('none.example');
      const url = proxy.lines.find(({ admin }) => admin !== undefined)?.admin;
      const { readFileSync } = await import('node:fs');
      const token = readFileSync(`${state.path}/admin-token`, 'utf8').trim();
      const metrics = await (
        await fetch(`http://${url}/metrics`, { headers: { Authorization: `Bearer ${token}` } })
      ).text();
      for (const line of [
        'cless_requests_total{service="web",code="2xx"} 1',
        'cless_cold_start_seconds_count{service="web"} 1',
        'cless_resume_seconds_count{service="web"} 1',
        'cless_problems_total{type="service-not-found"} 1',
        'cless_runtime_connected 1',
      ]) {
        expect(metrics.split('\n')).toContain(line);
      }
      expect(metrics).not.toContain('none');

      // A late listener gets earlier events.
      const response = await fetch(`http://${url}/v1/events?service=web`, {
        headers: { Authorization: `Bearer ${token}`, 'Last-Event-ID': '0' },
      });
      let text = '';
      for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += part;
        if (text.includes('event: resumed')) break;
      }
      const types = [...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type);
      expect(types).toEqual([
        'service-created',
        'starting',
        'created',
        'started',
        'ready',
        'deployed',
        'paused',
        'resumed',
      ]);
    });
  },
);
