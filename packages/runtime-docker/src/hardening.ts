import type { HostConfig } from 'dockerode';

/**
 * - `baseline`: no new privileges, all capabilities dropped but those that images need which start as root and
 *   drop their rights themselves. The default.
 * - `restricted`: no capability at all, a read-only root with a tmpfs on `/tmp`, never root.
 * - `off`: the engine's own defaults. Limits hold all the same, and privileged is never possible.
 */
export type Hardening = 'baseline' | 'restricted' | 'off';

/** Above what the engine itself may have, it refuses to start the container; 4096 is Linux's default hard limit. */
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

/** The part of the container's host configuration that a level stands for; seccomp and AppArmor stay as the engine has them. */
export function hardeningConfig(level: Hardening): HardeningConfig {
  const isolated: HardeningConfig = {
    SecurityOpt: ['no-new-privileges'],
    CapDrop: ['ALL'],
    IpcMode: 'private',
    CgroupnsMode: 'private',
    OomScoreAdj: 500,
    Ulimits: [
      { Name: 'nofile', Soft: OPEN_FILES, Hard: OPEN_FILES },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
  };
  switch (level) {
    case 'baseline':
      return { ...isolated, CapAdd: BASELINE_CAPABILITIES };
    case 'restricted':
      return { ...isolated, ReadonlyRootfs: true, Tmpfs: { '/tmp': 'rw,nosuid,nodev,noexec,size=64m' } };
    case 'off':
      return {};
  }
}

/** `nobody`, for an image that would run as root. */
export const UNPRIVILEGED_USER = '65534:65534';

/** Whether a container's `User` means root. */
export function isRoot(user: string): boolean {
  const name = user.split(':')[0] ?? '';
  return name === '' || name === 'root' || /^0+$/.test(name);
}
