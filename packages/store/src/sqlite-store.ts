import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type {
  Outcome,
  RevisionSpec,
  Service,
  ServiceDefinition,
  Split,
  StoredRevision,
  Traffic,
} from '@cless/model';
import { readSpec } from '@cless/model';
import { damaged, databaseError, openDatabase } from './database.ts';
import { Listeners } from './listeners.ts';
import {
  canonical,
  checkExpectation,
  checkOwner,
  checkTraffic,
  checkUnused,
  DEFAULT_PAGE_SIZE,
  revisionName,
  revisionNotFound,
  serviceNotFound,
  settled,
} from './rules.ts';
import type { Expectation, Page, Store } from './store.ts';

type Row = Readonly<Record<string, unknown>>;

/**
 * Services in a SQLite database (`node:sqlite`; write-ahead log, foreign keys, versioned migrations). The file is
 * readable by its owner only: secrets are stored in it unencrypted.
 *
 * @example
 * const store = new SqliteStore('/var/lib/cless/cless.db');
 * store.put({ name: 'web', hosts: ['web.example'], revisionHeader: false, sticky: false, wakeFilter: undefined });
 */
export class SqliteStore implements Store {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #listeners = new Listeners();

  /** @throws with a code `DATABASE_…` if the database is damaged, newer, not ours or cannot be written */
  constructor(path: string) {
    this.#path = path;
    this.#database = openDatabase(path);
  }

  services({ after = '', limit = DEFAULT_PAGE_SIZE }: Page = {}): Service[] {
    const rows = this.#all('SELECT * FROM services WHERE name > ? ORDER BY name LIMIT ?', after, limit);
    return rows.map((row) => this.#service(row));
  }

  count(): number {
    return Number(this.#get('SELECT count(*) AS count FROM services')?.count);
  }

  service(name: string): Service | undefined {
    const row = this.#get('SELECT * FROM services WHERE name = ?', name);
    return row && this.#service(row);
  }

  ownerOf(host: string): string | undefined {
    const row = this.#get('SELECT service FROM hosts WHERE host = ?', host);
    return row && text(row.service);
  }

  put(wanted: ServiceDefinition, expectation?: Expectation): Service {
    const definition = canonical(wanted);
    const { name, hosts } = definition;
    return this.#change(name, () => {
      const before = this.service(name);
      checkExpectation(name, before, expectation);
      for (const host of hosts) checkOwner(name, host, this.ownerOf(host));
      if (before !== undefined && JSON.stringify(canonical(before)) === JSON.stringify(definition)) {
        return { result: before, changed: false };
      }
      const now = new Date().toISOString();
      this.#run(
        `INSERT INTO services (name, definition, version, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?4)
         ON CONFLICT (name) DO UPDATE SET definition = ?2, version = ?3, updated_at = ?4`,
        name,
        JSON.stringify(definition),
        this.#count(name, 'version'),
        now,
      );
      this.#run('DELETE FROM hosts WHERE service = ?', name);
      for (const host of hosts) this.#run('INSERT INTO hosts (host, service) VALUES (?, ?)', host, name);
      return { result: this.#known(name), changed: true };
    });
  }

  remove(name: string, expectation?: Expectation): boolean {
    return this.#change(name, () => {
      checkExpectation(name, this.service(name), expectation);
      // First, since splits and tags refer to the service.
      this.#clearTraffic(name);
      const { changes } = this.#run('DELETE FROM services WHERE name = ?', name);
      return { result: changes > 0, changed: changes > 0 };
    });
  }

  setTraffic(name: string, traffic: Traffic, expectation?: Expectation): Service {
    return this.#change(name, () => {
      checkExpectation(name, this.#known(name), expectation);
      checkTraffic(name, traffic, (revision) => this.revision(name, revision));
      this.#clearTraffic(name);
      for (const [position, { revision, percent }] of traffic.splits.entries()) {
        this.#run(
          'INSERT INTO splits (service, position, revision, percent) VALUES (?, ?, ?, ?)',
          name,
          position,
          revision,
          percent,
        );
      }
      for (const [tag, revision] of Object.entries(traffic.tags)) {
        this.#run('INSERT INTO tags (service, tag, revision) VALUES (?, ?, ?)', name, tag, revision);
      }
      const version = this.#count(name, 'version');
      this.#run(
        'UPDATE services SET version = ?, updated_at = ? WHERE name = ?',
        version,
        new Date().toISOString(),
        name,
      );
      return { result: this.#known(name), changed: true };
    });
  }

  revisions(service: string, { after, limit = DEFAULT_PAGE_SIZE }: Page = {}): StoredRevision[] {
    this.#known(service);
    const below = after === undefined ? Number.MAX_SAFE_INTEGER : this.#knownRevision(service, after).number;
    const rows = this.#all(
      'SELECT * FROM revisions WHERE service = ? AND number < ? ORDER BY number DESC LIMIT ?',
      service,
      below,
      limit,
    );
    return rows.map((row) => this.#revision(row));
  }

  revision(service: string, name: string): StoredRevision | undefined {
    const row = this.#get('SELECT * FROM revisions WHERE service = ? AND name = ?', service, name);
    return row && this.#revision(row);
  }

  addRevision(
    service: string,
    spec: RevisionSpec,
    secrets: Readonly<Record<string, string>> = {},
  ): StoredRevision {
    return this.#change(service, () => {
      this.#known(service);
      const number = this.#count(service, 'revision');
      const name = revisionName(service, number);
      this.#run(
        'INSERT INTO revisions (service, number, name, spec, state, created_at) VALUES (?, ?, ?, ?, ?, ?)',
        service,
        number,
        name,
        JSON.stringify(spec),
        JSON.stringify({ phase: 'pending' }),
        new Date().toISOString(),
      );
      for (const [key, value] of Object.entries(secrets)) {
        this.#run('INSERT INTO secrets (revision, name, value) VALUES (?, ?, ?)', name, key, value);
      }
      return { result: this.#knownRevision(service, name), changed: true };
    });
  }

  secrets(service: string, name: string): Readonly<Record<string, string>> {
    this.#knownRevision(service, name);
    const rows = this.#all('SELECT name, value FROM secrets WHERE revision = ? ORDER BY name', name);
    return Object.fromEntries(rows.map((row) => [text(row.name), text(row.value)]));
  }

  settle(service: string, name: string, outcome: Outcome): StoredRevision {
    return this.#change(service, () => {
      const { state } = this.#knownRevision(service, name);
      const after = settled(state, outcome, new Date().toISOString());
      this.#run('UPDATE revisions SET state = ? WHERE name = ?', JSON.stringify(after), name);
      return { result: this.#knownRevision(service, name), changed: true };
    });
  }

  removeRevision(service: string, name: string): boolean {
    return this.#change(service, () => {
      checkUnused(this.#known(service).traffic, name);
      const { changes } = this.#run('DELETE FROM revisions WHERE service = ? AND name = ?', service, name);
      return { result: changes > 0, changed: changes > 0 };
    });
  }

  onChange(listener: (service: string) => void): () => void {
    return this.#listeners.add(listener);
  }

  close(): void {
    this.#database.close();
  }

  // Private

  /** Runs a change as one transaction, and calls the listeners once it is on disk. */
  #change<T>(service: string, change: () => { result: T; changed: boolean }): T {
    let outcome: { result: T; changed: boolean };
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      outcome = change();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw databaseError(this.#path, error);
    }
    if (outcome.changed) this.#listeners.tell(service);
    return outcome.result;
  }

  #clearTraffic(service: string): void {
    this.#run('DELETE FROM splits WHERE service = ?', service);
    this.#run('DELETE FROM tags WHERE service = ?', service);
  }

  #count(service: string, what: 'version' | 'revision'): number {
    const row = this.#get(
      `INSERT INTO counters (service, ${what}) VALUES (?, 1)
       ON CONFLICT (service) DO UPDATE SET ${what} = ${what} + 1 RETURNING ${what} AS count`,
      service,
    );
    return Number(row?.count);
  }

  #known(name: string): Service {
    const service = this.service(name);
    if (service === undefined) throw serviceNotFound(name);
    return service;
  }

  #knownRevision(service: string, name: string): StoredRevision {
    this.#known(service);
    const revision = this.revision(service, name);
    if (revision === undefined) throw revisionNotFound(service, name);
    return revision;
  }

  #service(row: Row): Service {
    const name = text(row.name);
    const splits = this.#all(
      'SELECT revision, percent FROM splits WHERE service = ? ORDER BY position',
      name,
    );
    const tags = this.#all('SELECT tag, revision FROM tags WHERE service = ? ORDER BY tag', name);
    return {
      ...canonical(this.#parse(row.definition)),
      traffic: {
        splits: splits.map(
          ({ revision, percent }): Split => ({ revision: text(revision), percent: Number(percent) }),
        ),
        tags: Object.fromEntries(tags.map(({ tag, revision }) => [text(tag), text(revision)])),
      },
      version: Number(row.version),
      createdAt: text(row.created_at),
      updatedAt: text(row.updated_at),
    };
  }

  #revision(row: Row): StoredRevision {
    const name = text(row.name);
    const secrets = this.#all('SELECT name FROM secrets WHERE revision = ? ORDER BY name', name);
    return {
      service: text(row.service),
      name,
      number: Number(row.number),
      spec: readSpec(this.#parse(row.spec)),
      secretNames: secrets.map((secret) => text(secret.name)),
      state: this.#parse(row.state),
      createdAt: text(row.created_at),
    };
  }

  /** What is stored as JSON. @throws with code `DATABASE_DAMAGED` if it is none, which no check of the file's notices */
  #parse(column: unknown): ReturnType<typeof JSON.parse> {
    try {
      return JSON.parse(text(column));
    } catch (error) {
      throw damaged(this.#path, error);
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #get(sql: string, ...values: (string | number)[]): Row | undefined {
    return this.#ask(() => this.#statement(sql).get(...values));
  }

  #all(sql: string, ...values: (string | number)[]): Row[] {
    return this.#ask(() => this.#statement(sql).all(...values));
  }

  #run(sql: string, ...values: (string | number)[]) {
    return this.#ask(() => this.#statement(sql).run(...values));
  }

  #ask<T>(question: () => T): T {
    try {
      return question();
    } catch (error) {
      throw databaseError(this.#path, error);
    }
  }
}

function text(value: unknown): string {
  return String(value);
}
