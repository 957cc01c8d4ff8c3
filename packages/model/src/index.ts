export type { Check, HttpCheck, TcpCheck } from './check.ts';
export { type Clock, systemClock, type Timer } from './clock.ts';
export { answerOf, CODES, type Code, codeOfProblem, EXIT, isCode, slugOf, typeOf } from './codes.ts';
export { conceal } from './conceal.ts';
export { formatDuration, parseDuration } from './duration.ts';
export type { Endpoint } from './endpoint.ts';
export {
  codeOf,
  type FactsOf,
  type Failed,
  Failure,
  type FieldError,
  hasCode,
  knownCodeOf,
  messageOf,
  reasonOf,
  shuttingDown,
} from './failure.ts';
export { formatMemory, parseMemory } from './memory.ts';
export type { RevisionInput, RevisionSpec } from './revision/forms.ts';
export { codecOf, type Kind, type Option, type Volume } from './revision/kinds.ts';
export { type ImageLabels, LABELLED_OPTIONS, readImageLabels } from './revision/labels.ts';
export { GROUPS } from './revision/options.ts';
export { PLACED_OPTIONS, type PlacedOption, setAt } from './revision/placed.ts';
export {
  type InstanceSpec,
  type PartialSpec,
  type Revision,
  type RevisionDefaults,
  toIdle,
  toRevision,
} from './revision/revision.ts';
export { fromSpec, readSpec, toSpec } from './revision/spec.ts';
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
export type {
  FixedAnswer,
  Outcome,
  RevisionState,
  Service,
  ServiceDefinition,
  Split,
  StoredRevision,
  Traffic,
  WakeFilter,
} from './service.ts';
export { formatStatuses, parseStatuses } from './statuses.ts';
