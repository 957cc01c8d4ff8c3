import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Host } from '../../test/in-process.ts';

let host: Host;
beforeEach(async () => {
  host = await Host.start();
  await host.deploy('web', 'web:1');
  await host.deploy('web', 'web:2');
});
afterEach(() => host.close());

const splits = () =>
  host.store.service('web')?.traffic.splits.map(({ revision, percent }) => `${revision} ${percent}`);

describe('traffic', () => {
  test('is shown, with its tags', async () => {
    await host.cless('traffic', 'web', '--tag', 'old=1');
    expect(await host.cless('traffic', 'web')).toEqual({
      code: 0,
      out: 'web-00002 100 %\nold--web → web-00001\n',
      err: '',
    });
    const { out } = await host.cless('traffic', 'web', '--json');
    expect(JSON.parse(out)).toEqual({
      splits: [{ revision: 'web-00002', percent: 100 }],
      tags: { old: 'web-00001' },
    });
  });

  test.each([
    [['web-00001=100'], ['web-00001 100']],
    [
      ['1=30', '2=70'],
      ['web-00001 30', 'web-00002 70'],
    ],
    [
      ['latest=10%', '00001=90'],
      ['web-00002 10', 'web-00001 90'],
    ],
    [['1=0', '2=100'], ['web-00002 100']],
  ])('%j gives %j', async (given, expected) => {
    expect((await host.cless('traffic', 'web', ...given)).code).toBe(0);
    expect(splits()).toEqual(expected);
  });

  test.each([
    [['1=50'], 2, 'the percentages sum up to 50; allowed is 100'],
    [['1'], 2, 'allowed is REVISION=PERCENT, like web-00001=100'],
    [['1=101'], 2, 'allowed is REVISION=PERCENT'],
    [['9=100'], 4, 'web has no revision 9'],
    [['web-00003=100'], 4, 'did you mean web-0000'],
    [['--tag', 'next'], 2, 'allowed is TAG=REVISION'],
    [['--untag', 'next'], 2, 'web has no tag next; it has none'],
  ])('%j is refused', async (given, code, message) => {
    expect(await host.cless('traffic', 'web', ...given)).toEqual({
      code,
      out: '',
      err: expect.stringContaining(message),
    });
    expect(splits()).toEqual(['web-00002 100']);
  });

  test('a tag goes as it has come', async () => {
    await host.cless('traffic', 'web', '--tag', 'old=1');
    await host.cless('traffic', 'web', '--untag', 'old');
    expect(host.store.service('web')?.traffic.tags).toEqual({});
  });
});

describe('rollback', () => {
  test('goes to the one before, then no further', async () => {
    expect(await host.cless('rollback', 'web')).toMatchObject({ code: 0, out: 'web-00001 100 %\n' });
    expect(await host.cless('rollback', 'web')).toMatchObject({
      code: 4,
      err: expect.stringContaining('no earlier revision that was ready'),
    });
  });

  test('goes back behind a canary, and past one that was never ready', async () => {
    host.platform.failure = new Error('broken');
    await host.deploy('web', 'web:1');
    host.platform.failure = undefined;
    await host.deploy('web', 'web:1', '--traffic', '10');
    expect(await host.cless('rollback', 'web')).toMatchObject({ code: 0, out: 'web-00002 100 %\n' });
  });

  test('goes to the one that is named', async () => {
    expect(await host.cless('rollback', 'web', '1')).toMatchObject({ code: 0, out: 'web-00001 100 %\n' });
  });
});
