import os from 'node:os';
import { expect, test, vi } from 'vitest';
import { PortRange } from './ports.ts';

test('a host that cannot look for a port has none, and says why; the next may be found', async () => {
  const ports = new PortRange(19_930, 19_940);
  const look = vi.spyOn(os, 'networkInterfaces').mockImplementationOnce(() => {
    throw new Error('too many open files');
  });
  await expect(ports.take()).rejects.toMatchObject({
    code: 'NO_FREE_PORT',
    message: 'no port from 19930 to 19940 can be looked for: too many open files',
  });
  expect(look).toHaveBeenCalledOnce();
  expect(await ports.take()).toBeGreaterThanOrEqual(19_930);
});
