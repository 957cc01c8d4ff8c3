export type {
  FixedAnswer,
  Outcome,
  RevisionSpec,
  RevisionState,
  Service,
  ServiceDefinition,
  Split,
  StoredRevision as Revision,
  Traffic,
  Volume,
  WakeFilter,
} from '@cless/model';
export { MemoryStore } from './memory-store.ts';
export { SqliteStore } from './sqlite-store.ts';
export type { Expectation, Page, Store } from './store.ts';
