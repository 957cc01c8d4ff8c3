import { readFileSync } from 'node:fs';
import { ServiceFile } from '@cless/admin/schemas';
import { closestMatch } from 'leven';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { CliError } from './problem.ts';

/**
 * Reads `cless.yaml`.
 *
 * @throws {CliError} that says what is wrong in which line
 */
export function readServiceFile(file: string, env: NodeJS.ProcessEnv): ServiceFile {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined) throw new CliError(`${file}: ${error.message}`);
  const parsed = ServiceFile.safeParse(document.toJS());
  if (parsed.success) return withSecrets(parsed.data, env);
  const wrong = parsed.error.issues.flatMap((issue) =>
    explain(issue).map(
      ({ path, what }) =>
        `${file}:${lineOf(document, path, lines)}: ${path.join('.') || 'the file'}: ${what}`,
    ),
  );
  throw new CliError(wrong.join('\n'));
}

function explain(issue: z.core.$ZodIssue): { path: readonly PropertyKey[]; what: string }[] {
  if (issue.code === 'unrecognized_keys') {
    const allowed = issue.path.length === 2 ? Object.keys(ServiceFile.shape.services.valueType.shape) : [];
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
  return [{ path: issue.path, what: issue.message }];
}

/** The line of the field, or of the nearest thing around it. */
function lineOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** A secret written as `${NAME}` is taken from the environment: files are kept in version control, secrets are not. */
function withSecrets(file: ServiceFile, env: NodeJS.ProcessEnv): ServiceFile {
  for (const [service, { secrets = {} }] of Object.entries(file.services)) {
    for (const [name, value] of Object.entries(secrets)) {
      const [, variable] = /^\$\{(\w+)\}$/.exec(value) ?? [];
      if (variable === undefined) continue;
      const found = env[variable];
      if (found === undefined)
        throw new CliError(`services.${service}.secrets.${name}: the environment has no ${variable}`);
      secrets[name] = found;
    }
  }
  return file;
}

/** The JSON Schema (2020-12) of the file, for editors. */
export function serviceFileSchema(): object {
  return z.toJSONSchema(ServiceFile, { io: 'input', target: 'draft-2020-12' });
}
