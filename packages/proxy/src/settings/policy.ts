import type { StoredSpec } from '@cless/admin';
import type { Settings } from './settings.ts';

/** What this installation does not let a service have, as fields and reasons. */
export function refusals(
  spec: StoredSpec,
  settings: Pick<Settings, 'host-paths' | 'runtime'>,
): { field: string; reason: string }[] {
  const allowed = settings['host-paths'];
  const inside = (path: string) =>
    allowed.some((root) => `${path}/`.startsWith(root === '/' ? root : `${root}/`));
  const refused = spec.volumes
    .map(({ source }, i) => ({ source, field: `volumes/${i}/source` }))
    .filter(({ source }) => source.startsWith('/') && !inside(source))
    .map(({ source, field }) => ({
      field,
      reason: `the host path ${source} is not allowed; allowed are ${allowed.join(', ') || 'none'} (CLESS_HOST_PATHS)`,
    }));
  if (settings.runtime === 'docker') return refused;
  // A child process is what the services file says.
  const containersOnly = ['entrypoint', 'command', 'user', 'hardening'] as const;
  return [
    ...containersOnly.filter((field) => spec[field] !== undefined),
    ...(['volumes', 'networks', 'relaxations'] as const).filter((field) => spec[field].length > 0),
  ].map((field) => ({ field, reason: `${field}: the process runtime has no containers` }));
}
