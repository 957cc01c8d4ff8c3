import { type RevisionSpec, readSpec } from '@cless/model';

const SERVICE = { hosts: [], revisionHeader: false, sticky: false, wakeFilter: undefined };

type With<Plain, More> = Omit<Plain, keyof More> & More;

/** A service's definition with defaults for everything not given. */
export function sampleService(name: string): typeof SERVICE & { name: string };
export function sampleService<const More extends object>(
  name: string,
  more: More,
): With<typeof SERVICE, More> & { name: string };
export function sampleService(name: string, more: object = {}) {
  return { name, ...SERVICE, ...more };
}

/** A revision's spec with defaults for everything not given. */
export function sampleRevision(more: Partial<RevisionSpec> = {}): RevisionSpec {
  return readSpec({ image: 'sample:1', imageId: 'sha256:1', ...more });
}
