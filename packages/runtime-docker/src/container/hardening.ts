import type { InstanceSpec } from '@cless/model';
import type { HostConfig } from 'dockerode';

/**
 * - `baseline`: no new privileges; all capabilities dropped except those needed by images that start as root and drop
 * privileges themselves. The default.
 * - `restricted`: no capability at all, a read-only root with a tmpfs on `/tmp`, never root.
 * - `off`: the engine's own defaults. Limits still apply, and privileged mode is never possible.
 */
export type Hardening = NonNullable<InstanceSpec['hardening']>;

/** The engine refuses to start a container with a higher limit than it has itself; 4096 is Linux's default hard limit. */
const OPEN_FILES = 4_096;

const BASELINE_CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'KILL',
  'NET_BIND_SERVICE',
  'SETGID',
  'SETUID',
];

/** `CgroupnsMode` (API 1.41) is missing from @types/dockerode. */
type HardeningConfig = HostConfig & { readonly CgroupnsMode?: 'private' };

/**
 * Parts of a level that can be turned off, by name:
 *
 * - `new-privileges`: setuid programs work
 * - `default-capabilities`: the container gets the engine's default capabilities
 * - `writable-root`: of `restricted`, the root file system can be written
 * - `root-user`: of `restricted`, the image may run as root
 * - `open-files`: no limit besides the engine's
 */
export type Relaxation = NonNullable<InstanceSpec['relaxations']>[number];

/** The host configuration for a level. Seccomp and AppArmor keep the engine's defaults. */
export function hardeningConfig(level: Hardening, relaxations: readonly Relaxation[] = []): HardeningConfig {
  if (level === 'off') return {};
  const kept = (relaxation: Relaxation) => !relaxations.includes(relaxation);
  return {
    ...(kept('new-privileges') && { SecurityOpt: ['no-new-privileges'] }),
    ...(kept('default-capabilities') && {
      CapDrop: ['ALL'],
      ...(level === 'baseline' && { CapAdd: BASELINE_CAPABILITIES }),
    }),
    IpcMode: 'private',
    CgroupnsMode: 'private',
    OomScoreAdj: 500,
    Ulimits: [
      ...(kept('open-files') ? [{ Name: 'nofile', Soft: OPEN_FILES, Hard: OPEN_FILES }] : []),
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    ...(level === 'restricted' &&
      kept('writable-root') && {
        ReadonlyRootfs: true,
        Tmpfs: { '/tmp': 'rw,nosuid,nodev,noexec,size=64m' },
      }),
  };
}

/** `nobody`, the user of images that would otherwise run as root. */
export const UNPRIVILEGED_USER = '65534:65534';

/** Does a container's `User` mean root? */
export function isRoot(user: string): boolean {
  const name = user.split(':')[0] ?? '';
  return name === '' || name === 'root' || /^0+$/.test(name);
}
