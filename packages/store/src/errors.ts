/** What all errors of the store have: a stable `code`, and the facts as fields. */
export abstract class StoreError extends Error {
  abstract readonly code: string;
}

export class ServiceNotFoundError extends StoreError {
  override readonly name = 'ServiceNotFoundError';
  readonly code = 'SERVICE_NOT_FOUND';
  readonly service: string;

  constructor(service: string) {
    super(`there is no service ${service}`);
    this.service = service;
  }
}

export class RevisionNotFoundError extends StoreError {
  override readonly name = 'RevisionNotFoundError';
  readonly code = 'REVISION_NOT_FOUND';
  readonly service: string;
  readonly revision: string;

  constructor(service: string, revision: string) {
    super(`service ${service} has no revision ${revision}`);
    this.service = service;
    this.revision = revision;
  }
}

/** The host belongs to another service. */
export class HostTakenError extends StoreError {
  override readonly name = 'HostTakenError';
  readonly code = 'HOST_TAKEN';
  readonly host: string;
  readonly owner: string;

  constructor(host: string, owner: string) {
    super(`host ${host} belongs to service ${owner}; remove it there first`);
    this.host = host;
    this.owner = owner;
  }
}

/** Somebody else has changed the service meanwhile, or it is (not) there against expectation. */
export class VersionConflictError extends StoreError {
  override readonly name = 'VersionConflictError';
  readonly code = 'VERSION_CONFLICT';
  /** The version that there is; nothing if there is no such service. */
  readonly current: number | undefined;

  constructor(service: string, expected: number | 'absent', current: number | undefined) {
    const is = current === undefined ? 'there is none' : `it is at version ${current}`;
    super(
      expected === 'absent'
        ? `service ${service} exists already: ${is}`
        : `service ${service} was expected at version ${expected}, but ${is}; read it again`,
    );
    this.current = current;
  }
}

/** The revision gets traffic or has a tag, so it cannot be removed. */
export class RevisionInUseError extends StoreError {
  override readonly name = 'RevisionInUseError';
  readonly code = 'REVISION_IN_USE';

  constructor(revision: string) {
    super(`revision ${revision} gets traffic or has a tag; take those away first`);
  }
}

/** The revision has never been ready, so it may get no traffic. */
export class RevisionNotReadyError extends StoreError {
  override readonly name = 'RevisionNotReadyError';
  readonly code = 'REVISION_NOT_READY';
  readonly revision: string;

  constructor(revision: string) {
    super(`revision ${revision} has never been ready, so it gets neither traffic nor a tag`);
    this.revision = revision;
  }
}

/** The percentages are no split. */
export class InvalidTrafficError extends StoreError {
  override readonly name = 'InvalidTrafficError';
  readonly code = 'INVALID_TRAFFIC';
}

/** What can be wrong with a database. */
export type DatabaseTrouble = 'damaged' | 'newer' | 'foreign' | 'unwritable' | 'full' | 'busy' | 'failed';

/**
 * The database cannot be opened, read or written; what is in it is as it was. `full`: the disk is; `busy`: another
 * program writes just now, and trying again helps; `failed`: anything else that SQLite says.
 */
export class DatabaseError extends StoreError {
  override readonly name = 'DatabaseError';
  readonly code: `DATABASE_${Uppercase<DatabaseTrouble>}`;
  readonly path: string;
  readonly problem: DatabaseTrouble;

  constructor(path: string, problem: DatabaseTrouble, what: string, cause?: unknown) {
    super(`the database ${path} ${what}; it was left as it is`, { cause });
    this.code = CODES[problem];
    this.path = path;
    this.problem = problem;
  }
}

const CODES = {
  damaged: 'DATABASE_DAMAGED',
  newer: 'DATABASE_NEWER',
  foreign: 'DATABASE_FOREIGN',
  unwritable: 'DATABASE_UNWRITABLE',
  full: 'DATABASE_FULL',
  busy: 'DATABASE_BUSY',
  failed: 'DATABASE_FAILED',
} as const;
