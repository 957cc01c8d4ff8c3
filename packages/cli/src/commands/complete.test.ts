import { describe, expect, test } from 'vitest';
import { AdminClient } from '../client/client.ts';
import { createProgram } from '../program.ts';
import { complete, FILES } from './complete.ts';

/** An API with two services, which records the requests. */
class Known extends AdminClient {
  asked = 0;

  constructor() {
    super({ url: 'http://127.0.0.1:1', token: 'x' });
  }

  override async services() {
    this.asked += 1;
    return JSON.parse('[{"name":"web"},{"name":"shop"}]');
  }

  override async instances() {
    return JSON.parse('[{"id":"0123456789abcdef"}]');
  }

  override async revisions() {
    return JSON.parse('[{"name":"web-00002","state":"failed"},{"name":"web-00001","state":"ready"}]');
  }
}

const program = createProgram('1.2.3');
const words = (...given: string[]) => complete(program, given, () => new Known());

describe('words', () => {
  test('first come the commands', async () => {
    expect(await words('')).toEqual(expect.arrayContaining(['deploy', 'ls', 'help']));
    expect(await words('de')).toEqual(['deploy']);
    expect(await words('help', 'tra')).toEqual(['traffic']);
    expect(await words('help', 'traffic', '')).toEqual([]);
    expect(await words('nonsense', '')).toEqual([]);
  });

  test('then what is there', async () => {
    expect(await words('show', '')).toEqual(['web', 'shop']);
    expect(await words('show', 'w')).toEqual(['web']);
    expect(await words('stop', '')).toEqual(['0123456789ab']);
    expect(await words('rollback', 'web', '')).toEqual(['web-00001']);
    expect(await words('rm', 'web', '')).toEqual(['web-00002', 'web-00001']);
    expect(await words('show', 'web', '')).toEqual([]);
  });

  test('traffic takes any number of revisions, and what they get is for the user to say', async () => {
    expect(await words('traffic', 'web', '')).toEqual(['web-00001=']);
    expect(await words('traffic', 'web', 'web-00001=50', '')).toEqual(['web-00001=']);
    expect(await words('traffic', 'web', 'web-00001=')).toEqual([]);
    // As Bash passes it.
    expect(await words('traffic', 'web', 'web-00001', '=', '')).toEqual([]);
  });

  test('options, and their values where they can be listed', async () => {
    expect(await words('ls', '--js')).toEqual(['--json']);
    expect(await words('deploy', 'web', '--hardening', 'res')).toEqual(['restricted']);
    expect(await words('deploy', 'web', '--env-file', '')).toEqual([FILES]);
    expect(await words('deploy', 'web', '--image', '')).toEqual([]);
    // The word after an option is its value, not an argument.
    expect(await words('show', '--token', 'x', 'w')).toEqual(['web']);
    expect(await words('show', '--token=x', 'w')).toEqual(['web']);
  });
});

test('the proxy is asked only where it has to be, as the options say; its silence is no error', async () => {
  const client = new Known();
  let options: unknown;
  const ask = (given: object) => {
    options = given;
    return client;
  };
  await complete(program, ['deploy', 'web', '--'], ask);
  expect(client.asked).toBe(0);
  await complete(program, ['show', '--state-dir', '/tmp/x', ''], ask);
  expect([client.asked, options]).toEqual([1, { stateDir: '/tmp/x' }]);
  const gone = () => {
    throw new Error('no proxy here');
  };
  expect(await complete(program, ['show', ''], gone)).toEqual([]);
});
