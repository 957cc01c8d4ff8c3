import { cleanUp, noEngine, type ProxyProcess, sampleImage, stateDirectory } from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AdminClient } from '../src/client/client.ts';
import { connect } from '../src/client/connection.ts';
import { PROXY } from './proxy.ts';

/*
 * The most common mistakes, with the real proxy on a real engine: the messages that their owners get, by convention
 * and by deploy.
 */

const owner = `test-telling-${process.pid}`;
const suffix = `-${owner}`;
const listen = (where: string, server = `require('node:http').createServer((_, r) => r.end())`) => [
  `ENTRYPOINT ${JSON.stringify(['node', '-e', `console.log('my last words'); ${server}.listen(${where})`])}`,
];

/** Lines of a Dockerfile, and the expected message. */
const MISTAKES: Readonly<Record<string, readonly [lines: readonly string[], told: RegExp]>> = {
  'another-port': [listen(`3000, '127.0.0.1'`), /nothing listens on port 8080 in it; 127\.0\.0\.1:3000 does/],
  'itself-only': [
    listen(`8080, '127.0.0.1'`),
    /it listens on 127\.0\.0\.1:8080 only, .*: listen on 0\.0\.0\.0/,
  ],
  'no-http': [
    listen('8080', `require('node:net').createServer((s) => s.end('220 mail\\r\\n'))`),
    /port 8080 answers, but speaks no HTTP .*--ready-tcp/,
  ],
  'two-ports': [
    ['EXPOSE 80 9000', ...listen('9000')],
    /\[::\]:9000 does; its image exposes 3 ports \(80, 8080, 9000\): choose one with --port/,
  ],
};
const names = Object.keys(MISTAKES);

describe.skipIf(noEngine !== undefined)('a mistake', () => {
  const state = stateDirectory();
  let proxy: ProxyProcess;
  let client: AdminClient;

  beforeAll(async () => {
    for (const name of names) await sampleImage(name + suffix, {}, MISTAKES[name]?.[0]);
    proxy = await PROXY.start({
      CLESS_OWNER: owner,
      CLESS_IMAGE_SUFFIX: suffix,
      CLESS_STATE_DIR: state.path,
      CLESS_PORT_RANGE: '19700-19749',
      CLESS_READY_TIMEOUT: '4s',
      CLESS_STOP_GRACE: '1s',
    });
    client = connect({ stateDir: state.path }, {});
  });

  afterAll(async () => {
    await proxy.stop();
    await cleanUp(
      owner,
      names.map((name) => name + suffix),
    );
    state.remove();
  });

  test.each(names)('is told in terms of the container: %s', async (name) => {
    const [, told] = MISTAKES[name] ?? [];
    const answer = await proxy.fetch(`${name}.cless.cloud`);
    expect(answer).toMatchObject({ status: 504 });
    expect(answer.text).not.toMatch(/:197\d\d/);
    const lastStart = () => client.lastStart(name);
    await expect.poll(async () => (await lastStart())?.failure?.message).toMatch(told ?? /./);
    const last = await lastStart();
    expect(last).toMatchObject({
      byConvention: true,
      image: name + suffix,
      failure: { reason: 'not-ready', lastLogLines: ['my last words'] },
    });
    expect(last?.failure?.message).not.toMatch(/197\d\d/); // a revision's hash may have these digits
  });

  test('in a deploy, too', async () => {
    await client.putService('web', {});
    const deploy = client.deploy('web', { image: `another-port${suffix}` });
    await expect(deploy).rejects.toMatchObject({
      problem: {
        detail: expect.stringMatching(/nothing listens on port 8080 in it; 127\.0\.0\.1:3000 does/),
        lastLogLines: ['my last words'],
      },
    });
  });
});
