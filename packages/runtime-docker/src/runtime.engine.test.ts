import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  cleanUp,
  describeRuntime,
  docker,
  IMAGE_REFERENCES,
  ImageRegistry,
  NO_IMAGE_REFERENCES,
  noEngine,
  sampleImage,
} from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DockerRuntime } from './runtime.ts';

const owner = `test-runtime-${process.pid}`;
const images = new Set<string>();

/** Resolves with the signal's reason. */
async function aborted(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await once(signal, 'abort');
  return signal.reason;
}

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
    });
    const [network] = JSON.parse(await docker('network', 'inspect', `cless-${other}`));
    expect(network.Options['com.docker.network.bridge.enable_icc']).toBe('false');
    expect(info.HostConfig.NetworkMode).toBe(network.Id);
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

  test('what a spec says of process, volumes and networks is what the container is', async () => {
    const joined = `${other}-backend`;
    await docker('network', 'create', joined);
    const { id } = await runtime.start({
      ...spec,
      user: '1000:1000',
      entrypoint: ['sh', '-c'],
      command: [
        'echo "I am $(id -u):$(id -g)"; exec node --disable-warning=ExperimentalWarning /app/sample-upstream.ts',
      ],
      networks: [joined],
      memoryBytes: 64 * 1024 * 1024,
      cpus: 0.5,
      pids: 99,
      volumes: [{ source: 'data', target: '/data', readOnly: true }],
    });
    await expect.poll(() => runtime.logs(id)).toContain('I am 1000:1000');
    const [info] = JSON.parse(await docker('inspect', id));
    expect(info.HostConfig).toMatchObject({ Memory: 64 * 1024 * 1024, NanoCpus: 5e8, PidsLimit: 99 });
    expect(Object.keys(info.NetworkSettings.Networks).sort()).toEqual([`cless-${other}`, joined]);
    expect(info.Mounts).toMatchObject([
      { Type: 'volume', Name: `cless-${other}-data`, Destination: '/data', RW: false },
    ]);
    await runtime.stop(id, { graceMs: 0 });
    await docker('network', 'rm', joined);

    for (const [name, message] of [
      ['no-such-network', 'network no-such-network is not there'],
      ['bridge', 'network bridge cannot be joined'],
      [`cless-${other}`, `network cless-${other} cannot be joined`],
    ] as const) {
      await expect(runtime.start({ ...spec, networks: [name] })).rejects.toMatchObject({
        code: 'NETWORK_NOT_FOUND',
        message: expect.stringContaining(message),
      });
      expect(await runtime.refusals({ networks: [name] })).toEqual([
        { field: 'networks/0', reason: expect.stringContaining(message) },
      ]);
    }
    expect(await runtime.list()).toEqual([]);
  });

  test('a named volume outlives its container, and is its owner’s', async () => {
    const write = {
      ...spec,
      entrypoint: ['sh', '-c'],
      command: [
        'cat /data/log; date >> /data/log; exec node --disable-warning=ExperimentalWarning /app/sample-upstream.ts',
      ],
      volumes: [{ source: 'kept', target: '/data', readOnly: false }],
    };
    const first = await runtime.start(write);
    await expect.poll(() => docker('exec', first.id, 'cat', '/data/log')).not.toBe('');
    await runtime.stop(first.id, { graceMs: 0 });
    const second = await runtime.start(write);
    await expect.poll(() => runtime.logs(second.id)).toContainEqual(expect.stringMatching(/20\d\d/));
    await runtime.stop(second.id, { graceMs: 0 });
    const [volume] = JSON.parse(await docker('volume', 'inspect', `cless-${other}-kept`));
    expect(volume.Labels).toEqual({ 'cless.managed': 'true', 'cless.owner': other });
    await docker('volume', 'rm', `cless-${other}-kept`, `cless-${other}-data`);
  });

  test('a container that the engine refuses leaves none of the volumes that were made for it', async () => {
    await docker('volume', 'create', `cless-${other}-old`);
    const at = (source: string) => ({ source, target: '/data', readOnly: false });
    const refused = runtime.start({ ...spec, volumes: [at('old'), at('new')] });
    await expect(refused).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('Duplicate mount point'),
    });
    expect(await docker('volume', 'ls', '-q', '--filter', `name=cless-${other}-`)).toBe(`cless-${other}-old`);
    await docker('volume', 'rm', `cless-${other}-old`);
  });

  test('what an image declares as VOLUME is its service’s, with its owners and modes, whatever the revision', async () => {
    const declares = `declares-${owner}`;
    images.add(declares);
    const scratch = await docker(
      'run',
      '-d',
      '--entrypoint',
      'sh',
      spec.image,
      '-c',
      'mkdir -p /srv/git /var/cache/x && echo given > /srv/git/given && chown -R 1000:1000 /srv/git && chmod 750 /srv/git',
    );
    await docker('wait', scratch);
    await docker(
      'commit',
      '-c',
      'VOLUME ["/srv/git/", "/var/cache/x", "/tmp"]',
      '-c',
      'ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "/app/sample-upstream.ts"]',
      scratch,
      declares,
    );
    await docker('rm', scratch);
    const found = await runtime.image(declares);
    expect([...(found?.volumes ?? [])].sort()).toEqual(['/srv/git/', '/tmp', '/var/cache/x']);

    const first = await runtime.start({ ...spec, image: declares, user: '1000' });
    const inside = (id: string, command: string) => docker('exec', id, 'sh', '-c', command);
    expect(
      await inside(first.id, 'stat -c %u:%a /srv/git; cat /srv/git/given; echo mine > /srv/git/mine'),
    ).toBe('1000:750\ngiven');
    await runtime.stop(first.id, { graceMs: 0 });
    const volumes = await runtime.volumes.of('web');
    expect(volumes.map(({ target }) => target)).toEqual(['/srv/git', '/tmp', '/var/cache/x']);
    expect(volumes[0]?.name).toMatch(new RegExp(`^cless-${other}-web-srv-git-[0-9a-f]{12}$`));

    // Another revision of another image, read-only except for the volumes it declares; the spec's volume takes
    // precedence.
    const second = await runtime.start({
      ...spec,
      revision: 'r2',
      image: declares,
      user: '1000',
      hardening: 'restricted',
      volumes: [{ source: 'mine', target: '/var/cache/x', readOnly: true }],
    });
    expect(await inside(second.id, 'cat /srv/git/mine; echo more >> /srv/git/mine; touch /tmp/x')).toBe(
      'mine',
    );
    const [info] = JSON.parse(await docker('inspect', second.id));
    const named = Object.fromEntries(
      info.Mounts.map(({ Destination, Name, RW }: Record<string, unknown>) => [Destination, [Name, RW]]),
    );
    expect(named).toMatchObject({
      '/srv/git': [volumes[0]?.name, true],
      '/var/cache/x': [`cless-${other}-mine`, false],
    });
    expect(info.HostConfig.Tmpfs).toHaveProperty('/tmp');

    // Another service has its own. Volumes in use stay, and are returned.
    const stranger = await runtime.start({ ...spec, service: 'web2', image: declares });
    expect(await inside(stranger.id, 'ls /srv/git')).toBe('given');
    expect(await runtime.volumes.remove('web2')).toHaveLength(3);
    await runtime.stop(stranger.id, { graceMs: 0 });
    expect(await runtime.volumes.remove('web')).toEqual([volumes[0]]);
    await runtime.stop(second.id, { graceMs: 0 });
    for (const service of ['web', 'web2']) {
      expect(await runtime.volumes.remove(service)).toEqual([]);
      expect(await runtime.volumes.of(service)).toEqual([]);
    }
    await docker('volume', 'rm', `cless-${other}-mine`);
  });

  test('folders of the host only where the operator allows it, whatever links say', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cless-host-')));
    const allowed = join(folder, 'allowed');
    mkdirSync(join(allowed, 'inside'), { recursive: true });
    writeFileSync(join(allowed, 'inside', 'file'), 'from the host\n');
    mkdirSync(join(folder, 'allowed-not'));
    symlinkSync('/etc', join(allowed, 'out'));
    const careful = new DockerRuntime({
      owner: other,
      ports: { from: 18200, to: 18201 },
      hostPaths: [allowed],
    });
    const at = (source: string) => ({ ...spec, volumes: [{ source, target: '/host', readOnly: true }] });
    const { id } = await careful.start(at(join(allowed, 'inside')));
    expect(await docker('exec', id, 'cat', '/host/file')).toBe('from the host');
    await careful.stop(id, { graceMs: 0 });
    for (const source of [
      join(folder, 'allowed-not'),
      join(allowed, 'out'),
      join(allowed, 'none'),
      '/etc',
      '/',
    ]) {
      await expect(careful.start(at(source)), source).rejects.toMatchObject({ code: 'START_FAILED' });
    }
    await expect(runtime.start(at(allowed))).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('is not among those that are allowed'),
    });
    expect(await runtime.list()).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test('where something listens in a container can be told', async () => {
    const command = (script: string) => ({ ...spec, entrypoint: ['node', '-e'], command: [script] });
    const listen = `require('node:net').createServer().listen`;
    const { id } = await runtime.start(
      command(`${listen}(3000, '127.0.0.1'); ${listen}(80); ${listen}(81, '0.0.0.0')`),
    );
    await expect
      .poll(async () => (await runtime.listening(id))?.map(({ host, port }) => `${host} ${port}`).sort())
      .toEqual(['0.0.0.0 81', '127.0.0.1 3000', ':: 80']);
    await docker('kill', id);
    await expect.poll(() => runtime.listening(id)).toBeUndefined();
    await runtime.stop(id, { graceMs: 0 });
  });

  test('single parts of the hardening can be given up, by name', async () => {
    const relaxed = {
      ...spec,
      hardening: 'restricted' as const,
      relaxations: ['new-privileges', 'writable-root', 'root-user', 'open-files'] as const,
    };
    const { id } = await runtime.start(relaxed);
    const [info] = JSON.parse(await docker('inspect', id));
    expect(info.HostConfig).toMatchObject({
      ReadonlyRootfs: false,
      SecurityOpt: null,
      CapDrop: ['ALL'],
      Privileged: false,
    });
    expect(info.HostConfig.Ulimits).toEqual([{ Name: 'core', Hard: 0, Soft: 0 }]);
    expect(await docker('exec', id, 'sh', '-c', 'id -u; touch /x && echo writable')).toBe('0\nwritable');
    await runtime.stop(id, { graceMs: 0 });
  });

  test('logs are followed, until the container ends or nobody wants them any more', async () => {
    const { id, endpoint } = await runtime.start(spec);
    const url = `http://127.0.0.1:${endpoint?.port}`;
    await expect
      .poll(() =>
        fetch(url).then(
          ({ ok }) => ok,
          () => false,
        ),
      )
      .toBe(true);
    const signal = new AbortController();
    const lines: string[] = [];
    const reading = (async () => {
      for await (const line of runtime.followLogs(id, { lines: 0, signal: signal.signal })) lines.push(line);
    })();
    // A line written before the engine begins to follow is not among those to come, so write again until it does.
    await expect
      .poll(
        async () => {
          await fetch(`${url}/once?id=grüße`, { method: 'POST', body: 'x' });
          return lines[0];
        },
        { timeout: 5_000 },
      )
      .toBe('executed grüße');
    signal.abort();
    await reading;

    const all: string[] = [];
    const toTheEnd = (async () => {
      for await (const line of runtime.followLogs(id, { lines: 100, signal: new AbortController().signal }))
        all.push(line);
    })();
    await expect.poll(() => new Set(all)).toEqual(new Set(['executed grüße']));
    await docker('kill', id);
    await toTheEnd;
    await runtime.stop(id);
    const none = runtime.followLogs(id, { signal: new AbortController().signal });
    await expect(none[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'INSTANCE_NOT_FOUND' });
  });

  test('an image is pulled when that is asked for, with progress, and within a bound', async () => {
    const registry = await ImageRegistry.start();
    try {
      const progress: string[] = [];
      expect(await runtime.image(registry.image)).toBeUndefined();
      await runtime.pull(registry.image, { onProgress: (line) => progress.push(line) });
      images.add(registry.image);
      expect(await runtime.image(registry.image)).toMatchObject({ exposedPorts: [3000] });
      expect(progress.join('\n')).toMatch(
        /Pulling from small[\s\S]*Pull complete[\s\S]*Downloaded newer image/,
      );

      await expect(runtime.pull(`${registry.image}:none`)).rejects.toMatchObject({
        code: 'PULL_FAILED',
        message: expect.stringContaining('manifest unknown'),
      });
      await docker('rmi', registry.image);
      registry.delayMs = 60_000;
      const signal = AbortSignal.timeout(500);
      await expect(runtime.pull(registry.image, { signal })).rejects.toBe(await aborted(signal));
      expect(await runtime.image(registry.image)).toBeUndefined();
    } finally {
      registry.stop();
    }
  });

  test('what is no reference names no image, and is not asked for', async () => {
    for (const reference of NO_IMAGE_REFERENCES) {
      expect(await runtime.image(reference), reference).toBeUndefined();
      await expect(runtime.start({ ...spec, image: reference }), reference).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
      });
    }
    await expect(runtime.pull('a//b')).rejects.toMatchObject({ code: 'PULL_FAILED' });
    // And the engine accepts all valid ones.
    for (const reference of IMAGE_REFERENCES) {
      const answer = await docker('image', 'inspect', reference).catch(({ message }: Error) => message);
      expect(answer, reference).not.toMatch(/invalid reference/i);
    }
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

  test('a command that is not there exits with 127, and nothing is left', async () => {
    const broken = `broken-${owner}`;
    images.add(broken);
    const scratch = await docker('create', spec.image);
    await docker('commit', '-c', 'ENTRYPOINT ["/no/such/program"]', scratch, broken);
    await docker('rm', scratch);
    try {
      // It is the init process that finds out: mostly before the start has been looked at, sometimes a moment later.
      const { id } = await runtime.start({ ...spec, image: broken });
      await expect.poll(async () => (await runtime.inspect(id))?.exit).toMatchObject({ exitCode: 127 });
      await runtime.stop(id);
    } catch (error) {
      expect(error).toMatchObject({ code: 'START_FAILED', exitCode: 127 });
    }
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
