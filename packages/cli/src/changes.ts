import type { Change } from '@cless/admin/schemas';
import { paint } from './output.ts';

/** The changes, one line each. */
export function changeLines(changes: readonly Change[], stream: NodeJS.WriteStream): string[] {
  return changes.map(({ field, from, to }) => {
    if (from === undefined) return paint(stream, 'green', `  + ${field}: ${text(to)}`);
    if (to === undefined) return paint(stream, 'red', `  - ${field}: ${text(from)}`);
    return paint(stream, 'yellow', `  ~ ${field}: ${text(from)} → ${text(to)}`);
  });
}

function text(value: unknown): string {
  const plain = typeof value === 'string' ? value : JSON.stringify(value);
  return plain.replace(/^sha256:([0-9a-f]{12})[0-9a-f]{52}$/, '$1');
}
