import { environmentName, SETTINGS } from './table.ts';

/** The text of `--help`. */
export function settingsHelp(): string {
  const rows = Object.entries(SETTINGS).map(([key, { told, help }]) => {
    const text = told === '' ? help : `${help} (default: ${told})`;
    return `  --${key.padEnd(20)} ${environmentName(key).padEnd(26)} ${text.replaceAll('`', '')}`;
  });
  return [
    'Usage: cless-proxy [--SETTING VALUE …] [--config FILE] [--take-over]',
    '',
    ...rows,
    '',
    '--take-over, given once, binds CLESS_OWNER to this state directory when the one before is lost.',
  ].join('\n');
}

/** The settings as a table in Markdown. */
export function settingsTable(): string {
  const rows = Object.entries(SETTINGS).map(([key, { told, help }]) => [
    `\`${environmentName(key)}\``,
    told,
    help,
  ]);
  const table = [['environment', 'default', ''], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[], filler = ' ') =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(' | ')} |`;
  const [head = [], ...body] = table;
  return [line(head), line(['', '', ''], '-'), ...body.map((row) => line(row))].join('\n');
}
