import type { Option } from './kinds.ts';

/*
 * The options of a revision, each described once. Generated from this are the types of the written and the stored
 * form, the schema of the API and of `cless.yaml`, the flags of `cless deploy`, an image's labels, and the table in
 * the docs.
 *
 * The key is the name in the stored form, `at` the path in the API. Doc comments here appear on the types.
 */

export const OPTIONS = {
  /** The image as it was asked for: a tag, a digest or an id. */
  image: {
    kind: 'image',
    required: true,
    description: 'An image on the host, by tag, digest or id.',
    examples: ['golang-docker'],
    takes: 'image',
    help: 'an image on this host, by tag, digest or id',
  },
  port: {
    kind: 'whole',
    min: 1,
    max: 65_535,
    label: true,
    description:
      'Where the container listens; told as PORT. Default: the single port that the image exposes, else 8080.',
    takes: 'port',
    help: 'where the container listens (default: what the image exposes, else 8080)',
  },
  env: {
    kind: 'variables',
    unset: {},
    goesTo: 'instance',
    short: 'e',
    takes: 'name=value',
    help: 'a variable; NAME alone takes it from here; again for more',
    fileHelp: 'variables as lines NAME=VALUE',
  },
  secrets: {
    kind: 'variables',
    secret: true,
    description: 'As env, but never given back, by no request, log, event or error.',
    name: 'secret',
    takes: 'name=value',
    help: 'as --env, but never shown again; better NAME alone than in the history',
    fileHelp: 'secrets as lines NAME=VALUE',
  },
  /** Replaces that of the image. */
  entrypoint: {
    kind: 'arguments',
    atLeast: 1,
    goesTo: 'instance',
    takes: 'part',
    help: 'instead of the image’s entrypoint; again for more parts',
  },
  /** Replaces that of the image. */
  command: {
    kind: 'arguments',
    atLeast: 0,
    goesTo: 'instance',
    name: 'arg',
    takes: 'argument',
    help: 'instead of the image’s command; again for more',
  },
  /** `USER[:GROUP]`, by name or number. Default: the image's. */
  user: {
    kind: 'text',
    pattern: /^[a-zA-Z0-9_][a-zA-Z0-9_.-]*(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]*)?$/,
    allowed: 'USER or USER:GROUP',
    maxLength: 100,
    goesTo: 'instance',
    takes: 'user[:group]',
    help: 'whom the container runs as',
  },
  volumes: {
    kind: 'volumes',
    unset: [],
    goesTo: 'instance',
    name: 'volume',
    short: 'v',
    takes: 'source:target[:ro]',
    help: 'a named volume, or a folder that the operator allows',
  },
  /** Networks to join besides the installation's own; they must exist. */
  networks: {
    kind: 'networks',
    unset: [],
    goesTo: 'instance',
    description: 'Networks of the engine to join besides the installation’s own.',
    name: 'network',
    takes: 'name',
    help: 'a network to join besides its own; again for more',
  },
  /** Default 512 MiB. */
  memoryBytes: {
    at: 'limits/memory',
    kind: 'memory',
    goesTo: 'instance',
    takes: 'amount',
    help: 'like 256MiB (default: 512MiB)',
  },
  /** Default 1. */
  cpus: {
    at: 'limits/cpus',
    kind: 'number',
    min: 0.01,
    max: 1_000,
    goesTo: 'instance',
    takes: 'number',
    help: 'like 0.5 (default: 1)',
  },
  /** The most processes and threads. Default 256. */
  pids: {
    at: 'limits/pids',
    kind: 'whole',
    min: 1,
    max: 4_000_000,
    goesTo: 'instance',
    takes: 'number',
    help: 'processes and threads (default: 256)',
  },
  /** Default `baseline`. */
  hardening: {
    kind: 'choice',
    values: ['baseline', 'restricted', 'off'],
    goesTo: 'instance',
    takes: 'level',
    help: 'baseline, restricted or off',
  },
  /** Names of the parts of the hardening that are turned off. */
  relaxations: {
    kind: 'choices',
    values: ['new-privileges', 'default-capabilities', 'writable-root', 'root-user', 'open-files'],
    unset: [],
    goesTo: 'instance',
    description: 'Single parts of the hardening that are given up.',
    name: 'relax',
    takes: 'part',
    help: 'a part of the hardening to give up; again for more',
  },
  /** How to find out that an instance may get its first request. */
  readiness: {
    fields: {
      path: {
        kind: 'path',
        label: 'ready',
        name: 'ready-path',
        takes: 'path',
        help: 'what is asked to find out that it is ready, and is to answer 2xx or 3xx',
      },
      /** The statuses that mean ready. Default: 200 to 399 if there is a path, otherwise all below 500. */
      statuses: {
        kind: 'statuses',
        name: 'ready-status',
        takes: 'statuses',
        help: 'which answers count, like 200-299,404 (default: 200-399 of --ready-path, else all below 500)',
      },
      kind: {
        kind: 'choice',
        values: ['http', 'tcp'],
        default: 'http',
        label: 'ready',
        switches: { tcp: { name: 'ready-tcp', help: 'it is ready when it takes connections' } },
      },
    },
  },
  readyTimeoutMs: {
    at: 'readiness/timeout',
    kind: 'duration',
    name: 'ready-timeout',
    takes: 'duration',
    help: 'how long it may take to get ready, like 30s',
  },
  /** How long an idle instance runs until it is paused, or `never`. */
  pauseAfterMs: {
    at: 'idle/pauseAfter',
    kind: 'durationOrNever',
    label: true,
    takes: 'duration',
    help: 'idle until it is paused, like 60s; never',
  },
  /** How long an idle instance exists until it is stopped and removed, or `never`. */
  stopAfterMs: {
    at: 'idle/stopAfter',
    kind: 'durationOrNever',
    label: true,
    takes: 'duration',
    help: 'idle until it is stopped, like 15m; never',
  },
  /**
   * `replace`: it never runs beside another revision of the service that replaces, too, since they write the same
   * volumes. Default: `overlap`.
   */
  rollout: {
    kind: 'choice',
    values: ['replace', 'overlap'],
    goesTo: 'revision',
    description:
      'replace: the revision before is stopped first, while requests wait, and is back if this one does not get ready. overlap: both run for a while. Default: replace if it writes a volume, its own or one that the image declares; else overlap.',
    takes: 'how',
    help: 'replace: the one before is stopped first; overlap: both run for a while (default: replace if it writes a volume)',
  },
  /** How long it may take to begin an answer, in milliseconds. Default: the installation's. */
  responseTimeoutMs: {
    at: 'timeouts/response',
    kind: 'duration',
    goesTo: 'revision',
    name: 'response-timeout',
    takes: 'duration',
    help: 'how long it may take to begin an answer',
  },
  /** From SIGTERM to SIGKILL, in milliseconds. */
  stopGraceMs: {
    at: 'timeouts/stop',
    kind: 'duration',
    goesTo: 'revision',
    name: 'stop-grace',
    takes: 'duration',
    help: 'from SIGTERM to SIGKILL',
  },
} as const satisfies Readonly<Record<string, Option | { readonly fields: Readonly<Record<string, Option>> }>>;

/** Descriptions of groups of fields, for the API's schema. */
export const GROUPS: Readonly<Record<string, string>> = {
  limits: 'Default: 512MiB, 1 and 256.',
  readiness: 'When an instance may get its first request.',
};
