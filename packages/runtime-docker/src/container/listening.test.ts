import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { listenersOf } from './listening.ts';

const proc = mkdtempSync(join(tmpdir(), 'cless-proc-'));
afterAll(() => rmSync(proc, { recursive: true }));

const CONTAINER = 'd97d603429d3d965eb7bc9e9269bf01cf3ab5c6e1cfc00efbf43fa57c17bc904';
const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (n: number, local: string, state: string) =>
  `   ${n}: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 2139103 1 000000001388316b 100 0 0 10 0                   \n`;

let pid = 100;
/** Writes what Linux would show for a process. */
function recorded(cgroup: string, tcp: string, tcp6?: string): number {
  pid += 1;
  const folder = join(proc, String(pid));
  mkdirSync(join(folder, 'net'), { recursive: true });
  writeFileSync(join(folder, 'cgroup'), cgroup);
  writeFileSync(join(folder, 'net/tcp'), HEAD + tcp);
  if (tcp6 !== undefined) writeFileSync(join(folder, 'net/tcp6'), HEAD + tcp6);
  return pid;
}

const V1 = `9:name=systemd:/docker/${CONTAINER}\n0::/docker/${CONTAINER}\n`;
const V2 = `0::/system.slice/docker-${CONTAINER}.scope\n`;

test('all that listens, of both families, but for Docker’s own name server', async () => {
  const tcp =
    line(0, '0B00007F:9F67', '0A') +
    line(1, '0100007F:0BB8', '0A') +
    line(2, '00000000:1F90', '0A') +
    line(3, '020011AC:1F90', '01');
  const tcp6 =
    line(0, '00000000000000000000000000000000:0050', '0A') +
    line(1, '00000000000000000000000001000000:0051', '0A') +
    line(2, '0000000000000000FFFF00000100007F:0052', '0A') +
    line(3, 'B80D0120000000000000000001000000:0053', '0A');
  expect(await listenersOf(CONTAINER, recorded(V1, tcp, tcp6), proc)).toEqual([
    { host: '127.0.0.1', port: 3000 },
    { host: '0.0.0.0', port: 8080 },
    { host: '::', port: 80 },
    { host: '::1', port: 81 },
    { host: '127.0.0.1', port: 82 },
    { host: '2001:db8::1', port: 83 },
  ]);
});

test('a container without IPv6, on cgroup v2, in which nothing listens', async () => {
  expect(await listenersOf(CONTAINER, recorded(V2, ''), proc)).toEqual([]);
});

test.each([
  ['another process', () => recorded('0::/init.scope\n', line(0, '00000000:1F90', '0A'))],
  ['none', () => 99],
  ['no number', () => 0],
  ['no number at all', () => Number.NaN],
])('%s says nothing', async (_, other) => {
  expect(await listenersOf(CONTAINER, other(), proc)).toBeUndefined();
});
