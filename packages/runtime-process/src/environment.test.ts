import { expect, test } from 'vitest';
import { inheritedEnvironment } from './environment.ts';

test('a service gets what it needs to run, and no tokens', () => {
  const needed = { PATH: '/bin', HOME: '/root', LANG: 'C', LC_ALL: 'C.UTF-8', TZ: 'UTC', TMPDIR: '/tmp' };
  const secret = {
    CLESS_ADMIN_TOKEN: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    NODE_OPTIONS: '--import=x',
    MY_PATH: '/x',
    PATHS: '/x',
  };
  expect(inheritedEnvironment({ ...secret, ...needed, SHELL: undefined })).toEqual(needed);
});
