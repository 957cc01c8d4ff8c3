export type {
  Check,
  Endpoint,
  InstanceSpec,
  ReadinessProbe,
  Revision,
  Runtime,
  RuntimeEvent,
  RuntimeInstance,
} from '@cless/model';
export { type Clock, systemClock, type Timer } from '@cless/model';
export { Activator, type ActivatorOptions, type RuntimeStatus } from './activator.ts';
export type { ActivatorEvent, StopReason } from './activator-event.ts';
export { type ConventionOptions, ConventionSource } from './convention-source.ts';
export { EventStream, type PublishedEvent } from './event-stream.ts';
export type * from './forward/forwarder.ts';
export { TrustedProxies } from './forwarded.ts';
export type { Access, FrontLimits } from './front.ts';
export { HttpProxy3Forwarder } from './http-proxy-3-forwarder.ts';
export type { Activation, Lease } from './lease.ts';
export { portOf, workerOf } from './process-port.ts';
export { RegisteredSource, type RegisteredSourceOptions } from './registered-source.ts';
export { Server, type ServerOptions } from './server.ts';
export type * from './services/router.ts';
export type * from './services/source.ts';
export { type ForwarderOptions, UndiciForwarder } from './undici-forwarder.ts';
export { runWorker, type WorkerOptions } from './worker.ts';
export type { WorkerProcess } from './worker-link.ts';
