const SERVICE = { hosts: [], revisionHeader: false, sticky: false, wakeFilter: undefined };

const REVISION = {
  image: 'sample:1',
  imageId: 'sha256:1',
  port: undefined,
  entrypoint: undefined,
  command: undefined,
  user: undefined,
  env: {},
  volumes: [],
  networks: [],
  memoryBytes: undefined,
  cpus: undefined,
  pids: undefined,
  hardening: undefined,
  relaxations: [],
  readiness: undefined,
  readyTimeoutMs: undefined,
  responseTimeoutMs: undefined,
  stopGraceMs: undefined,
  pauseAfterMs: undefined,
  stopAfterMs: undefined,
};

type With<Plain, More> = Omit<Plain, keyof More> & More;

/** A service's definition with nothing special but what is said. */
export function sampleService(name: string): typeof SERVICE & { name: string };
export function sampleService<const More extends object>(
  name: string,
  more: More,
): With<typeof SERVICE, More> & { name: string };
export function sampleService(name: string, more: object = {}) {
  return { name, ...SERVICE, ...more };
}

/** A revision's spec with nothing special but what is said. */
export function sampleRevision(): typeof REVISION;
export function sampleRevision<const More extends object>(more: More): With<typeof REVISION, More>;
export function sampleRevision(more: object = {}) {
  return { ...REVISION, ...more };
}
