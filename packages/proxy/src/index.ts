export type { Activation, ActivatorEvent, Lease, StopReason } from '@cless/activator';
export { Activator, type ActivatorOptions, type RuntimeStatus } from '@cless/activator';
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
export type { Access, EdgeLimits } from './edge/http1.ts';
export type * from './forward/forwarder.ts';
export { HttpProxy3Forwarder } from './forward/http-proxy-3.ts';
export { type ForwarderOptions, UndiciForwarder } from './forward/undici.ts';
export { TrustedProxies } from './headers/forwarded.ts';
export { EventStream, type PublishedEvent } from './observe/event-stream.ts';
export { Server, type ServerOptions } from './server.ts';
export { type ConventionOptions, ConventionSource } from './services/convention.ts';
export { RegisteredSource, type RegisteredSourceOptions } from './services/registered.ts';
export type * from './services/router.ts';
export type * from './services/source.ts';
export type { WorkerProcess } from './workers/link.ts';
export { portOf, workerOf } from './workers/process-port.ts';
export { runWorker, type WorkerOptions } from './workers/worker.ts';
