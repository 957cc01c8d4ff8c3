export type {
  Endpoint,
  InspectedInstance,
  InstanceSpec,
  Refusal,
  RunningInstance,
  RuntimeEvent,
  RuntimeInstance,
  ServiceVolume,
  ServiceVolumes,
  Volume,
} from '@cless/model';
export type { Hardening, Relaxation } from './container/hardening.ts';
export type { Listener } from './container/listening.ts';
export type { StartOptions } from './container/start.ts';
export type { Image } from './engine/images.ts';
export type { Holder } from './owner/record.ts';
export type { Ready } from './run/connected.ts';
export type { Run, RunOptions } from './run/run.ts';
export { DockerRuntime, type DockerRuntimeOptions } from './runtime.ts';
