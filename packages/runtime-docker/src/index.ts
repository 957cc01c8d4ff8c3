export {
  EngineRefusedError,
  EngineUnreachableError,
  ImageNotFoundError,
  InstanceNotFoundError,
  NoFreePortError,
  PullFailedError,
  RuntimeError,
  type RuntimeErrorCode,
  StartFailedError,
} from './errors.ts';
export type { RuntimeEvent } from './events.ts';
export type { Hardening, Relaxation } from './hardening.ts';
export {
  DockerRuntime,
  type DockerRuntimeOptions,
  type Endpoint,
  type Image,
  type Instance,
  type StartOptions,
} from './runtime.ts';
export type { InstanceSpec, Volume } from './spec.ts';
