import { readFile } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { ServiceFile, VolumeSchema } from '@cless/admin/schemas';
import { Failure } from '@cless/model';
import { closestMatch } from 'leven';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { readVolume, VOLUME_FORM } from './volume.ts';

/**
 * Reads `cless.yaml`.
 *
 * @throws with code `USAGE` and what is wrong in which line
 */
export async function readServiceFile(
  file: string,
  { env, signal }: { env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<ServiceFile> {
  let text: string;
  try {
    text = await (file === '-' ? readAll(addAbortSignal(signal, process.stdin)) : readFile(file, 'utf8'));
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure('USAGE', `${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    // For something missing at the end, report the last line with content.
    const { line, col } = lines.linePos(Math.min(error.pos[0], text.trimEnd().length));
    throw new Failure('USAGE', `${file}:${line}:${col}: ${error.message}`);
  }
  const content: unknown = document.toJS();
  const parsed = ServiceFile.safeParse(withVolumes(content));
  if (parsed.success) return withSecrets(parsed.data, env);
  const isCompose = COMPOSE_FIELDS.filter((field) => fieldsOf(content).has(field));
  if (isCompose.length > 0)
    throw new Failure(
      'USAGE',
      `${file} is a Compose file (it has ${isCompose.join(', ')}), which is none for cless: leave databases and the like in Compose; for each service that answers requests, write its image, its env and its hosts into a cless.yaml, and networks: [PROJECT_default] to reach the others, then cless apply -f cless.yaml`,
    );
  const wrong = parsed.error.issues.flatMap((issue) =>
    explain(issue, document).map(
      ({ path, what }) =>
        `${file}:${lineOf(document, path, lines)}: ${path.join('.') || 'the file'}: ${what}`,
    ),
  );
  throw new Failure('USAGE', wrong.join('\n'));
}

/** Fields that only services of Compose have. */
const COMPOSE_FIELDS = [
  'build',
  'container_name',
  'depends_on',
  'env_file',
  'environment',
  'expose',
  'healthcheck',
  'labels',
  'ports',
  'restart',
];

/** The field names that occur in any of the services. */
function fieldsOf(content: unknown): Set<string> {
  return new Set(services(content).flatMap((service) => Object.keys(service)));
}

function services(content: unknown): object[] {
  if (!isObject(content) || !('services' in content) || !isObject(content.services)) return [];
  return Object.values(content.services).filter(isObject);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** A volume may also be written as for `--volume`. */
function withVolumes(content: unknown): unknown {
  for (const service of services(content)) {
    if ('volumes' in service && Array.isArray(service.volumes))
      service.volumes = service.volumes.map((one: unknown) =>
        typeof one === 'string' ? (readVolume(one) ?? one) : one,
      );
  }
  return content;
}

function explain(
  issue: z.core.$ZodIssue,
  document: Document,
): { path: readonly PropertyKey[]; what: string }[] {
  if (issue.code === 'unrecognized_keys') {
    const allowed = fieldsAt(issue.path);
    return issue.keys.map((key) => {
      const nearest = closestMatch(key, allowed, { maxDistance: 3 });
      return {
        path: [...issue.path, key],
        what: `there is no such field${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
      };
    });
  }
  if (issue.code === 'invalid_key')
    return issue.issues.map(({ message }) => ({ path: issue.path, what: `as a name, ${message}` }));
  if (issue.code === 'invalid_type')
    return [{ path: issue.path, what: explainType(issue, document.getIn(issue.path)) }];
  return [{ path: issue.path, what: issue.message }];
}

/** What may be written at a path, as far as a slip of the pen is to be noticed there. */
function fieldsAt({ length }: readonly PropertyKey[]): string[] {
  if (length === 0) return Object.keys(ServiceFile.shape);
  return length === 2 ? Object.keys(ServiceFile.shape.services.valueType.shape) : [];
}

/** @param found what is written there */
function explainType({ expected }: z.core.$ZodIssueInvalidType, found: unknown): string {
  if (found === undefined) return 'is missing';
  switch (expected) {
    case 'array':
      return `has to be a list${typeof found === 'string' ? `, like [${found}]` : ''}`;
    case 'object':
    case 'record':
      return 'has to be fields with their values';
    case 'string':
      return `has to be a text${typeof found === 'number' || typeof found === 'boolean' ? `, like "${found}"` : ''}`;
    case 'number':
    case 'int':
      return 'has to be a number';
    case 'boolean':
      return 'has to be true or false';
    default:
      return `has to be of type ${expected}`;
  }
}

/** The line of the field, or of the nearest enclosing one. */
function lineOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/**
 * Replaces secrets written as `${NAME}` with the environment's values: files are kept in version control, secrets are
 * not.
 */
function withSecrets({ services }: ServiceFile, env: NodeJS.ProcessEnv): ServiceFile {
  const fill = (service: string, secrets: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(secrets).map(([name, value]) => {
        const [, variable] = /^\$\{(\w+)\}$/.exec(value) ?? [];
        const found = variable === undefined ? value : env[variable];
        if (found === undefined)
          throw new Failure(
            'USAGE',
            `services.${service}.secrets.${name}: the environment has no ${variable}`,
          );
        return [name, found];
      }),
    );
  return {
    services: Object.fromEntries(
      Object.entries(services).map(([name, { secrets, ...rest }]) => [
        name,
        { ...rest, ...(secrets !== undefined && { secrets: fill(name, secrets) }) },
      ]),
    ),
  };
}

/** The JSON Schema (2020-12) of the file, for editors. */
export function serviceFileSchema(): object {
  return z.toJSONSchema(ServiceFile, {
    io: 'input',
    target: 'draft-2020-12',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema !== VolumeSchema) return;
      const long = { ...jsonSchema };
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      jsonSchema.anyOf = [{ type: 'string', description: VOLUME_FORM }, long];
    },
  });
}
