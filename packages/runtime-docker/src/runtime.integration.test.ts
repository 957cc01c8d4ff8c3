import { once } from 'node:events';
import { createServer } from 'node:net';
import { cleanUp, describeRuntime, docker, noEngine, sampleImage } from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DockerRuntime } from './runtime.ts';

const owner = `test-runtime-${process.pid}`;
const images = new Set<string>();

async function image(name: string, environment?: Readonly<Record<string, string>>): Promise<string> {
  const reference = `${name}-${owner}`;
  images.add(reference);
  return sampleImage(reference, environment);
}

describeRuntime(
  'docker',
  {
    create: () => new DockerRuntime({ owner, ports: { from: 18000, to: 18100 } }),
    image,
    byHand: async (action, id) => {
      await docker(action === 'resume' ? 'unpause' : action, id);
    },
    cleanUp: () => cleanUp(owner, [...images]),
  },
  { skip: noEngine },
);

describe.skipIf(noEngine !== undefined)('containers', () => {
  const other = `${owner}-more`;
  const spec = { service: 'web', revision: 'r1', image: '', port: 8080 };
  let runtime: DockerRuntime;

  beforeAll(async () => {
    spec.image = await image('web');
    runtime = new DockerRuntime({ owner: other, ports: { from: 18200, to: 18201 } });
  });

  afterAll(() => cleanUp(other, [...images]));

  test('are labelled, hardened, bounded and published on loopback only', async () => {
    const { id } = await runtime.start(spec);
    const [info] = JSON.parse(await docker('inspect', id));
    expect(info.Config.Labels).toMatchObject({
      'cless.managed': 'true',
      'cless.owner': other,
      'cless.service': 'web',
      'cless.revision': 'r1',
      'cless.spec': runtime.specHash(spec),
    });
    expect(info.HostConfig).toMatchObject({
      Privileged: false,
      Init: true,
      AutoRemove: false,
      RestartPolicy: { Name: 'no' },
      Memory: 512 * 1024 * 1024,
      MemorySwap: 512 * 1024 * 1024,
      NanoCpus: 1e9,
      PidsLimit: 256,
      OomScoreAdj: 500,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      LogConfig: { Type: 'local' },
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1' }] },
      NetworkMode: `cless-${other}`,
    });
    const [network] = JSON.parse(await docker('network', 'inspect', `cless-${other}`));
    expect(network.Options['com.docker.network.bridge.enable_icc']).toBe('false');
    expect(network.Labels).toEqual({ 'cless.managed': 'true', 'cless.owner': other });
    await runtime.stop(id, { graceMs: 0 });
  });

  test('run restricted: no capability, read-only root, never root', async () => {
    const restricted = { ...spec, hardening: 'restricted' as const };
    const { id } = await runtime.start(restricted);
    const [info] = JSON.parse(await docker('inspect', id));
    expect(info.HostConfig).toMatchObject({ ReadonlyRootfs: true, CapAdd: null, CapDrop: ['ALL'] });
    expect(info.Config.User).toBe('65534:65534');
    expect(
      await docker(
        'exec',
        id,
        'sh',
        '-c',
        'id -u; touch /x 2>/dev/null || echo read-only; touch /tmp/x && echo tmp',
      ),
    ).toBe('65534\nread-only\ntmp');
    await runtime.stop(id, { graceMs: 0 });
  });

  test('a port that another program takes is skipped; a range with nothing free is NO_FREE_PORT', async () => {
    const taken = createServer().listen(18200, '127.0.0.1');
    await once(taken, 'listening');
    try {
      const instance = await runtime.start(spec);
      expect(instance.endpoint?.port).toBe(18201);
      await expect(runtime.start(spec)).rejects.toMatchObject({
        code: 'NO_FREE_PORT',
        from: 18200,
        to: 18201,
      });
      await runtime.stop(instance.id, { graceMs: 0 });
      const again = await runtime.start(spec); // get-port itself would have locked it for 15 s
      expect(again.endpoint?.port).toBe(18201);
      await runtime.stop(again.id, { graceMs: 0 });
    } finally {
      taken.close();
    }
  });

  test('a port that is taken between choice and start is retried with another', async () => {
    // Docker knows of ports that no probe on the host can see: those of containers that are being started.
    const racers = await Promise.all([
      runtime.start(spec),
      new DockerRuntime({ owner: other, ports: { from: 18200, to: 18201 } }).start(spec),
    ]);
    expect(new Set(racers.map(({ endpoint }) => endpoint?.port))).toEqual(new Set([18200, 18201]));
    for (const { id } of racers) await runtime.stop(id, { graceMs: 0 });
  });

  test('a command that is not there is START_FAILED with code 127, and nothing is left', async () => {
    const broken = `broken-${owner}`;
    images.add(broken);
    const scratch = await docker('create', spec.image);
    await docker('commit', '-c', 'ENTRYPOINT ["/no/such/program"]', scratch, broken);
    await docker('rm', scratch);
    await expect(runtime.start({ ...spec, image: broken })).rejects.toMatchObject({
      code: 'START_FAILED',
      exitCode: 127,
    });
    expect(await runtime.list()).toEqual([]);
  });

  test('what ran out of memory says so', async () => {
    const stop = new AbortController();
    const { id, endpoint } = await runtime.start({ ...spec, memoryBytes: 96 * 1024 * 1024 });
    const exited = (async () => {
      for await (const event of runtime.watch(stop.signal)) if (event.type === 'exited') return event;
      return undefined;
    })();
    await expect
      .poll(
        () =>
          fetch(`http://127.0.0.1:${endpoint?.port}/`).then(
            ({ ok }) => ok,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true);
    await fetch(`http://127.0.0.1:${endpoint?.port}/exhaust`).catch(() => {});
    expect(await exited).toMatchObject({ id, oomKilled: true, exitCode: 137 });
    expect(await runtime.inspect(id)).toMatchObject({ state: 'exited', exit: { oomKilled: true } });
    stop.abort();
    await runtime.stop(id);
  });

  test('other owners’ containers, and nobody’s, are not seen', async () => {
    const stranger = new DockerRuntime({ owner: `${other}-stranger`, ports: { from: 18210, to: 18211 } });
    const theirs = await stranger.start(spec);
    const nobodys = await docker('run', '-d', spec.image);
    expect(await runtime.list()).toEqual([]);
    await docker('rm', '-f', nobodys);
    await stranger.stop(theirs.id, { graceMs: 0 });
    await stranger.close();
  });

  test('the network goes with the runtime', async () => {
    await runtime.prepare();
    await runtime.close();
    await expect(docker('network', 'inspect', `cless-${other}`)).rejects.toThrow();
  });
});

describe('an engine that is not there', () => {
  test('every call is ENGINE_UNREACHABLE', async () => {
    const runtime = new DockerRuntime({ owner: 'nobody', engine: 'unix:///no/such/docker.sock' });
    const spec = { service: 'web', revision: 'r1', image: 'x', port: 8080 };
    const calls = [
      () => runtime.image('x'),
      () => runtime.list(),
      () => runtime.inspect('x'),
      () => runtime.start(spec),
      () => runtime.pause('x'),
      () => runtime.stop('x'),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({
        code: 'ENGINE_UNREACHABLE',
        message: expect.stringContaining('is it running?'),
      });
    }
  });
});
