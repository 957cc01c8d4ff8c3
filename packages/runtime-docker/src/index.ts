export {
  EngineAddressError,
  EngineRefusedError,
  EngineUnreachableError,
  ImageNotFoundError,
  InstanceNotFoundError,
  NetworkNotFoundError,
  NoAddressPoolError,
  NoFreePortError,
  OwnerTakenError,
  PullFailedError,
  RuntimeError,
  type RuntimeErrorCode,
  StartFailedError,
} from './errors.ts';
export type { RuntimeEvent } from './events.ts';
export type { Hardening, Relaxation } from './hardening.ts';
export type { Image } from './images.ts';
export type { Endpoint, Instance } from './instance.ts';
export type { Listener } from './listening.ts';
export type { Holder } from './owner-record.ts';
export { DockerRuntime, type DockerRuntimeOptions } from './runtime.ts';
export type { InstanceSpec, Volume } from './spec.ts';
export type { StartOptions } from './start.ts';
export type { ServiceVolume } from './volumes.ts';
