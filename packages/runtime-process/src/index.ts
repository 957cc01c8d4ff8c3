export {
  ImageNotFoundError,
  InstanceNotFoundError,
  InvalidServicesFileError,
  RuntimeError,
  type RuntimeErrorCode,
  StartFailedError,
} from './errors.ts';
export {
  type Endpoint,
  type Instance,
  type InstanceSpec,
  ProcessRuntime,
  type ProcessRuntimeOptions,
  type RuntimeEvent,
} from './runtime.ts';
