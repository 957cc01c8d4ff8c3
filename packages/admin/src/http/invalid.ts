import { Failure, type FieldError } from '@cless/model';
import leven, { closestMatch } from 'leven';
import { z } from 'zod';

/** Everything that is wrong with a value: the fields, and what is allowed in them. */
export function invalid(
  error: z.core.$ZodError,
  schema: z.ZodType,
  where: 'body' | 'query' | 'path',
): Failure<'INVALID_REQUEST'> {
  const errors = error.issues.flatMap((issue) => explain(issue, schema));
  const [first] = errors;
  const detail =
    errors.length === 1 && first !== undefined
      ? `${first.pointer === '#' ? `The ${where}` : first.pointer}: ${first.detail}.`
      : `${errors.length} things are wrong with the ${where}.`;
  return new Failure('INVALID_REQUEST', detail, { errors });
}

type Issue = z.core.$ZodIssue;

function explain(issue: Issue, schema: z.ZodType): FieldError[] {
  switch (issue.code) {
    case 'unrecognized_keys': {
      const allowed = keysAt(schema, issue.path);
      return issue.keys.map((key) => ({
        pointer: pointer([...issue.path, key]),
        detail: `there is no such field; ${suggest(key, allowed)}allowed are ${allowed.join(', ')}`,
      }));
    }
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({
        pointer: pointer(issue.path),
        detail: `as a name, ${message}`,
      }));
    case 'invalid_value':
      return [
        {
          pointer: pointer(issue.path),
          detail: `allowed is ${issue.values.map((value) => String(value)).join(' or ')}`,
        },
      ];
    case 'invalid_type':
      return [{ pointer: pointer(issue.path), detail: `allowed is ${article(issue.expected)}` }];
    case 'too_small':
      return [
        { pointer: pointer(issue.path), detail: `allowed is ${unit(issue.origin, issue.minimum)} or more` },
      ];
    case 'too_big':
      return [
        { pointer: pointer(issue.path), detail: `allowed is at most ${unit(issue.origin, issue.maximum)}` },
      ];
    default:
      return [{ pointer: pointer(issue.path), detail: issue.message }];
  }
}

/** RFC 6901, as a URI fragment. */
function pointer(path: readonly PropertyKey[]): string {
  return `#${path.map((part) => `/${encodeURI(String(part).replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')}`;
}

function article(type: string): string {
  switch (type) {
    case 'int':
      return 'a whole number';
    case 'array':
      return 'a list';
    case 'record':
    case 'object':
      return 'an object';
    case 'boolean':
      return 'true or false';
    default:
      return `a ${type}`;
  }
}

function unit(origin: string, limit: number | bigint): string {
  if (origin === 'string') return `${limit} characters`;
  return origin === 'array' ? `${limit} entries` : String(limit);
}

/** "did you mean …? ", or empty if no allowed word is near. */
function suggest(word: string, allowed: readonly string[]): string {
  const nearest = closestMatch(word, [...allowed], { maxDistance: 3 });
  return nearest !== undefined && leven(word, nearest) < word.length ? `did you mean ${nearest}? ` : '';
}

/** The field names of the object at that path of a schema. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const part of [...path, undefined]) {
    at = unwrap(at);
    if (part === undefined) break;
    if (at instanceof z.ZodObject) at = at.shape[String(part)];
    else if (at instanceof z.ZodRecord) at = at.valueType;
    else if (at instanceof z.ZodArray) at = at.element;
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function unwrap(schema: unknown): unknown {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault) at = at.unwrap();
  return at;
}
