import { type Row, verdict } from './row.ts';

/** A table for the terminal and for Markdown. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ['what', 'measured', 'figure', ''],
    ...rows.map(({ what, value, target = '', reached }) => [what, value, target, verdict(reached)]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return lines.join('\n');
}
