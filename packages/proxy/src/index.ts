export type { ActivatorEvent, RuntimeStatus } from '@cless/activator';
export type {
  Check,
  Endpoint,
  InspectedInstance,
  InstanceSpec,
  PartialSpec,
  ReadinessProbe,
  Refusal,
  RunningInstance,
  Runtime,
  RuntimeEvent,
  RuntimeInstance,
} from '@cless/model';
export { type Cless, type ClessOptions, createCless } from './compose/cless.ts';
export type { EdgeLimits } from './edge/edge.ts';
export type * from './exchange/incoming.ts';
export type * from './exchange/outgoing.ts';
export type * from './exchange/upgrade-offer.ts';
export type * from './forward/forwarder.ts';
export { HttpProxy3Forwarder } from './forward/http-proxy-3.ts';
export { type ForwarderOptions, UndiciForwarder } from './forward/undici.ts';
export type { GivenService } from './services/given.ts';
