import {
  formatMemory,
  GROUPS,
  type Kind,
  type Option,
  PLACED_OPTIONS,
  parseDuration,
  parseMemory,
  parseStatuses,
  type RevisionInput,
} from '@cless/model';
import { z } from 'zod';
import { IMAGE_REFERENCE } from './image-reference.ts';

/*
 * The schema of a revision: the values of each kind of option are described here, the options themselves in the
 * model.
 */

/** Docker refuses containers with less. */
const MIN_MEMORY = 6 * 1024 ** 2;
const RESERVED = new Set(['PORT', 'K_SERVICE', 'K_REVISION', 'K_CONFIGURATION']);
/** The kernel's limit for one argument or environment variable in bytes, including its NUL (MAX_ARG_STRLEN). */
const MAX_STRING_BYTES = 128 * 1024;

const noNul = (value: string) => !value.includes('\0');

const EnvironmentName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'allowed are names of letters, digits and underscores')
  .refine((name) => !RESERVED.has(name), `${[...RESERVED].join(', ')} are set by cLess`);

const EnvironmentValue = z.string().max(MAX_STRING_BYTES).refine(noNul, 'NUL is not allowed');

const Argument = z
  .string()
  .max(MAX_STRING_BYTES)
  .refine(noNul, 'NUL is not allowed')
  .refine(
    (argument) => Buffer.byteLength(argument) < MAX_STRING_BYTES,
    `allowed is at most ${MAX_STRING_BYTES - 1} bytes`,
  );

export const VolumeSchema = z
  .strictObject({
    source: z
      .string()
      .max(4096)
      .refine(
        (source) => /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,100}$/.test(source) || isCleanPath(source),
        'allowed is the name of a volume, or an absolute path without . and ..',
      )
      .meta({ description: 'The name of a volume, or a folder of the host that the operator allows.' }),
    target: z
      .string()
      .max(4096)
      .refine(
        (target) => isCleanPath(target) && target !== '/',
        'allowed is an absolute path without . and .., and not /',
      )
      .meta({ description: 'Where the container finds it.' }),
    readOnly: z.boolean().default(false),
  })
  .meta({ id: 'Volume' });

/** The schema of each kind of option. */
const KINDS: { readonly [K in Kind]: (option: Option<K>) => z.ZodType } = {
  image: () =>
    z
      .string()
      .min(1)
      .max(500)
      .regex(
        IMAGE_REFERENCE,
        'allowed is an image like name:tag, name@sha256:digest or an id; names are of lower-case letters, digits and single separators',
      ),
  text: ({ pattern, allowed, maxLength }) =>
    z.string().regex(pattern, `allowed is ${allowed}`).max(maxLength),
  path: () =>
    z
      .string()
      .max(2_000)
      .regex(/^\/[!-~]*$/, 'allowed is a path that begins with /'),
  whole: ({ min, max }) => z.int().min(min).max(max),
  number: ({ min, max }) => z.number().min(min).max(max),
  choice: ({ values }) => z.enum(values),
  choices: ({ values }) => z.array(z.enum(values)).max(10),
  arguments: ({ atLeast }) => {
    const list = z.array(Argument).max(1_000);
    return atLeast === 0 ? list : list.min(atLeast);
  },
  variables: () =>
    z.record(EnvironmentName, EnvironmentValue).superRefine((variables, context) => {
      for (const [name, value] of Object.entries(variables)) {
        const most = MAX_STRING_BYTES - `${name}=`.length - 1;
        if (Buffer.byteLength(value) > most)
          context.addIssue({ code: 'custom', path: [name], message: `allowed is at most ${most} bytes` });
      }
    }),
  volumes: () =>
    z
      .array(VolumeSchema)
      .max(100)
      .superRefine((volumes, context) => {
        const targets = volumes.map(({ target }) => target.replace(/\/$/, ''));
        targets.forEach((target, i) => {
          if (targets.indexOf(target) < i)
            context.addIssue({
              code: 'custom',
              path: [i, 'target'],
              message: `another volume is at ${target}`,
            });
        });
      }),
  networks: () =>
    z
      .array(
        z
          .string()
          .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,100}$/, 'allowed is the name of a network')
          .refine(
            (name) => !['host', 'none', 'default', 'bridge'].includes(name),
            'host, none, default and bridge cannot be joined',
          )
          .refine((name) => !name.startsWith('cless-'), 'the networks of installations cannot be joined'),
      )
      .max(20),
  memory: () =>
    z
      .string()
      .max(20)
      .refine((value) => parseMemory(value) !== undefined, 'allowed is an amount like 256MiB or 1GiB')
      .refine(
        (value) => (parseMemory(value) ?? MIN_MEMORY) >= MIN_MEMORY,
        `allowed is ${formatMemory(MIN_MEMORY)} or more`,
      )
      .refine((value) => (parseMemory(value) ?? 0) <= Number.MAX_SAFE_INTEGER, 'allowed is less')
      .meta({ description: 'Like 256MiB or 1GiB.', examples: ['256MiB'] }),
  duration: () =>
    z
      .string()
      .max(20)
      .refine((value) => parseDuration(value) !== undefined, 'allowed is a duration like 250ms, 30s or 5m')
      .meta({ description: 'Like 250ms, 30s, 5m or 1h.', examples: ['30s'] }),
  durationOrNever: () =>
    z
      .string()
      .max(20)
      .refine(
        (value) => value === 'never' || parseDuration(value) !== undefined,
        'allowed is a duration like 250ms, 30s or 5m, or never',
      )
      .meta({ description: 'Like 250ms, 30s, 5m or 1h, or never.', examples: ['15m'] }),
  statuses: () =>
    z
      .array(
        z
          .union([z.int().min(100).max(599), z.string().max(20)])
          .refine(
            (status) => parseStatuses(status) !== undefined,
            'allowed is a status or a range, like 200-299',
          ),
      )
      .min(1)
      .max(20)
      .meta({
        description:
          'Which answers count, like 404 or 200-299. Default: 200-399 of a path that is named, else all below 500.',
        examples: [[404, '200-299']],
      }),
};

/** Checks of options that belong together. */
const CHECKS: Readonly<Record<string, (group: z.ZodObject) => z.ZodType>> = {
  readiness: (readiness) =>
    readiness.refine(({ kind, statuses }) => kind === 'http' || statuses === undefined, {
      path: ['statuses'],
      error: 'a connection has no status; allowed only with the kind http',
    }),
};

/** A field for each option outside of a group, and one for each group. */
type Fields = {
  [K in keyof RevisionInput]-?: undefined extends RevisionInput[K]
    ? z.ZodOptional<z.ZodType<Exclude<RevisionInput[K], undefined>>>
    : z.ZodType<RevisionInput[K]>;
};

function fields(): Fields;
function fields(): Record<string, z.ZodType> {
  const all: Record<string, z.ZodType> = {};
  for (const {
    option,
    at: [group, key],
  } of PLACED_OPTIONS) {
    if (key === undefined) all[group] = field(option);
    else all[group] ??= groupOf(group);
  }
  return all;
}

function groupOf(name: string): z.ZodType {
  const options = PLACED_OPTIONS.flatMap(({ option, at: [group, key] }) =>
    group === name && key !== undefined ? [[key, field(option)] as const] : [],
  );
  const group = z.strictObject(Object.fromEntries(options));
  const schema = (CHECKS[name]?.(group) ?? group).optional();
  return GROUPS[name] === undefined ? schema : schema.meta({ description: GROUPS[name] });
}

function field(option: Option): z.ZodType {
  const kind = ofKind(option.kind, option);
  const { description, examples } = option;
  const schema =
    option.default !== undefined ? kind.default(option.default) : option.required ? kind : kind.optional();
  if (description === undefined) return schema;
  return schema.meta({ description, ...(examples !== undefined && { examples: [...examples] }) });
}

function ofKind<K extends Kind>(kind: K, option: Option<K>): z.ZodType {
  return KINDS[kind](option);
}

/** What a revision is made from. */
export const RevisionSchema: z.ZodObject<Fields, z.core.$strict> = z.strictObject(fields()).meta({
  id: 'RevisionInput',
  description: 'What a revision is made from. What is left out is left to the installation.',
});

function isCleanPath(path: string): boolean {
  return (
    path.startsWith('/') &&
    noNul(path) &&
    !path.split('/').some((part) => part === '.' || part === '..') &&
    (path === '/' || !/\/\/|\/$/.test(path))
  );
}
