import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** Where commands write: results to `out`, progress to `err`. */
export interface Output {
  /** Print results as JSON? */
  readonly json: boolean;
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
}

/** Prints a result, as JSON if asked for, else as text. */
export function show({ json, out }: Output, value: unknown, text: () => string): void {
  out.write(json ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`);
}

/** Prints progress. */
export function tell({ json, err }: Output, line: string): void {
  if (!json) err.write(`${line}\n`);
}

/** Colours the text if the stream is a terminal with colours and `NO_COLOR` is not set. */
export function paint(stream: NodeJS.WriteStream, style: Style, text: string): string {
  return styleText(style, text, { stream });
}

/** Formats rows in columns with headings. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  out: NodeJS.WriteStream,
): string {
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [paint(out, 'dim', line(headings)), ...rows.map(line)].join('\n');
}

/** Roughly how long ago the time is. */
export function ago(time: string, nowMs = Date.now()): string {
  return `${span(nowMs - Date.parse(time))} ago`;
}

export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

export function shortId(id: string): string {
  return id.slice(0, 12);
}
