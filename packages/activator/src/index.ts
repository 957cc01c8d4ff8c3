export { Activator, type ActivatorOptions, type RuntimeStatus } from './activator.ts';
export type { Connections } from './connections.ts';
export {
  AsleepError,
  BackoffError,
  CapacityError,
  QueueFullError,
  RuntimeUnavailableError,
  ShuttingDownError,
} from './errors.ts';
export type { ActivatorEvent, Exit, InstanceEvent, StopReason } from './event.ts';
export { neverStops } from './instance/idle-clock.ts';
export type { Instance } from './instance/instance.ts';
export type { InstanceState } from './instance/state.ts';
export { Usage } from './instance/usage.ts';
export { type Activation, Lease, type Leased, type LeaseGiver } from './lease.ts';
export type { Grant } from './quota.ts';
export type { Revisions } from './revisions.ts';
