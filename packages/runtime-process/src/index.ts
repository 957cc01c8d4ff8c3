export type {
  Endpoint,
  InspectedInstance,
  InstanceSpec,
  Refusal,
  RunningInstance,
  RuntimeEvent,
} from '@cless/model';
export {
  ImageNotFoundError,
  InstanceNotFoundError,
  InvalidServicesFileError,
  RuntimeError,
  type RuntimeErrorCode,
  StartFailedError,
} from './errors.ts';
export { ProcessRuntime, type ProcessRuntimeOptions } from './runtime.ts';
