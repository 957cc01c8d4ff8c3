import { find, install } from '@cless/testkit/host';
import type { Peer } from './peer.ts';

/**
 * Installs the peers' programs and those that measure, if it may.
 * @throws if one is missing without which nothing can be measured
 */
export async function installMissing(wanted: readonly Peer[]): Promise<void> {
  const needed = [
    ...wanted.flatMap(({ program, debianPackage }) => (debianPackage ? [[program, debianPackage]] : [])),
    ['wrk', 'wrk'],
    ['nginx', 'nginx-light'],
    ['strace', 'strace'],
  ];
  const missing = needed.filter(([program = '']) => find(program) === undefined).map(([, name = '']) => name);
  if (missing.length > 0 && process.getuid?.() === 0 && find('apt-get') !== undefined)
    await install(missing).catch(() => {});
  for (const program of ['wrk', 'nginx', 'strace']) {
    if (find(program) === undefined)
      throw new Error(`${program} is needed to measure requests, and could not be installed`);
  }
}
