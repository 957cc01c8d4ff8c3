export { type Clock, systemClock, type Timer } from './clock.ts';
export { conceal } from './conceal.ts';
export type { Endpoint } from './endpoint.ts';
export { codeOf, messageOf, reasonOf } from './failure.ts';
export type { Check, InstanceSpec, Revision } from './revision.ts';
export type { ReadinessProbe, Runtime, RuntimeEvent, RuntimeInstance } from './runtime.ts';
