export { type Clock, systemClock, type Timer } from './clock.ts';
export { answerOf, CODES, type Code, codeOfProblem, EXIT, isCode, slugOf, typeOf } from './codes.ts';
export { conceal } from './conceal.ts';
export { formatDuration, parseDuration } from './duration.ts';
export type { Endpoint } from './endpoint.ts';
export {
  codeOf,
  type FactsOf,
  Failure,
  type FieldError,
  hasCode,
  knownCodeOf,
  messageOf,
  reasonOf,
  shuttingDown,
} from './failure.ts';
export { formatMemory, parseMemory } from './memory.ts';
export type { Check, InstanceSpec, PartialSpec, Revision } from './revision.ts';
export type {
  InspectedInstance,
  ReadinessProbe,
  Refusal,
  RunningInstance,
  Runtime,
  RuntimeEvent,
  RuntimeInstance,
  ServiceVolume,
  ServiceVolumes,
} from './runtime.ts';
export { formatStatuses, parseStatuses } from './statuses.ts';
