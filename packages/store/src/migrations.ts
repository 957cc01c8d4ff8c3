/*
 * The schema, as the list of steps that lead to it. Never change a released step: add a new one.
 */

/** `user_version` counts how many of these have been applied. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE services (
    name TEXT PRIMARY KEY,
    definition TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE hosts (
    host TEXT PRIMARY KEY,
    service TEXT NOT NULL REFERENCES services ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hosts_of_service ON hosts (service);

  CREATE TABLE revisions (
    service TEXT NOT NULL REFERENCES services ON DELETE CASCADE,
    number INTEGER NOT NULL,
    name TEXT NOT NULL UNIQUE,
    spec TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (service, number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE secrets (
    revision TEXT NOT NULL REFERENCES revisions (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (revision, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE splits (
    service TEXT NOT NULL REFERENCES services ON DELETE CASCADE,
    position INTEGER NOT NULL,
    revision TEXT NOT NULL REFERENCES revisions (name),
    percent INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 100),
    PRIMARY KEY (service, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX splits_of_revision ON splits (revision);

  CREATE TABLE tags (
    service TEXT NOT NULL REFERENCES services ON DELETE CASCADE,
    tag TEXT NOT NULL,
    revision TEXT NOT NULL REFERENCES revisions (name),
    PRIMARY KEY (service, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tags_of_revision ON tags (revision);

  -- Outlives the service: neither versions nor revisions are counted from the start again.
  CREATE TABLE counters (
    service TEXT PRIMARY KEY,
    version INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Those from before the rollout was said: what writes a volume replaces, as it would if it were deployed now.
  UPDATE revisions SET spec = json_set(spec, '$.rollout', 'replace')
  WHERE EXISTS (SELECT 1 FROM json_each(spec, '$.volumes') WHERE json_extract(value, '$.readOnly') = 0);
  `,
];
