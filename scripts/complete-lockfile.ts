import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Completes package-lock.json after `npm install`: if a registry does not have the optional packages of other
 * platforms, npm leaves them out, and `npm ci` then refuses the lockfile. Adds only such packages, in the exact
 * version that their parent names; npm never fetches them on this platform.
 */

const FILE = join(import.meta.dirname, '..', 'package-lock.json');

interface LockEntry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const OS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const CPU = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** The platform of a package, by its name. */
function platform(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> {
  const os = OS.find((one) => name.includes(one));
  const cpu = CPU.find((one) => name.includes(one)) ?? (name.includes('arm') ? 'arm' : undefined);
  const libc = name.includes('musl')
    ? 'musl'
    : name.endsWith('gnu') || name.endsWith('gnueabihf')
      ? 'glibc'
      : undefined;
  return { ...(os && { os: [os] }), ...(cpu && { cpu: [cpu] }), ...(libc && { libc: [libc] }) };
}

/** The packages missing in the lockfile, by their path in it. */
export function missingPackages(): Map<string, LockEntry> {
  const { packages } = JSON.parse(readFileSync(FILE, 'utf8')) as { packages: Record<string, LockEntry> };
  const missing = new Map<string, LockEntry>();
  for (const [parent, { dev, optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const known = packages[`node_modules/${name}`] ?? packages[`${parent}/node_modules/${name}`];
      if (known !== undefined || !/^\d+\.\d+\.\d+/.test(version)) continue;
      const path = missing.has(`node_modules/${name}`)
        ? `${parent}/node_modules/${name}`
        : `node_modules/${name}`;
      missing.set(path, { version, ...(dev && { dev }), optional: true, ...platform(name) });
    }
  }
  return missing;
}

if (import.meta.main) {
  const lockfile = JSON.parse(readFileSync(FILE, 'utf8')) as { packages: Record<string, LockEntry> };
  const missing = missingPackages();
  const entries = Object.entries({ ...lockfile.packages, ...Object.fromEntries(missing) });
  lockfile.packages = Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(FILE, `${JSON.stringify(lockfile, null, 2)}\n`);
  console.log(`${missing.size} packages added`);
}
