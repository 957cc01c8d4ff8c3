export type {
  Endpoint,
  InspectedInstance,
  InstanceSpec,
  Refusal,
  RunningInstance,
  RuntimeEvent,
} from '@cless/model';
export { ProcessRuntime, type ProcessRuntimeOptions } from './runtime.ts';
