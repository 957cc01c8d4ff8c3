/** One figure, as it is shown. */
export interface Row {
  readonly what: string;
  readonly value: string;
  /** The figure to reach; undefined if there is none. */
  readonly target?: string;
  readonly reached?: boolean;
  /** The bar in a chart; undefined if it is in none. */
  readonly chart?: Bar;
}

interface Bar {
  readonly title: string;
  readonly unit: string;
  readonly label: string;
  readonly amount: number;
}

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

/** The same as a page, with a chart for all bars of one title. */
export function page(rows: readonly Row[], about: string): string {
  const charts = new Map<string, Bar[]>();
  for (const { chart } of rows)
    if (chart) charts.set(chart.title, [...(charts.get(chart.title) ?? []), chart]);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>cLess: benchmark</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  td, th { padding: .15rem 1rem .15rem 0; text-align: left; vertical-align: top }
  svg { width: 100%; font-size: 13px; fill: currentColor }
  .ours { fill: #2a7 } .bar { fill: #8889 } .missed { color: #c33 } .reached { color: #2a7 }
</style>
<h1>cLess: benchmark</h1>
<p>${escapeHtml(about)}</p>
<h2>Figures</h2>
<table><tr><th>what<th>measured<th>figure<th>${rows
    .filter(({ target }) => target !== undefined)
    .map(
      ({ what, value, target = '', reached }) =>
        `<tr><td>${escapeHtml(what)}<td>${escapeHtml(value)}<td>${escapeHtml(target)}<td class="${verdict(reached)}">${verdict(reached)}`,
    )
    .join('\n')}
</table>
${[...charts].map(([title, bars]) => `<h2>${escapeHtml(title)}</h2>\n${chartOf(bars)}`).join('\n')}
<h2>Everything</h2>
<table>${rows.map(({ what, value }) => `<tr><td>${escapeHtml(what)}<td>${escapeHtml(value)}`).join('\n')}
</table>
</html>
`;
}

function chartOf(bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ amount }) => amount), 1);
  const rows = [...bars]
    .sort((a, b) => b.amount - a.amount)
    .map(({ label, amount, unit }, i) => {
      const y = i * 26;
      const ours = label.startsWith('cLess') ? 'ours' : 'bar';
      return `<text x="0" y="${y + 16}">${escapeHtml(label)}</text><rect class="${ours}" x="380" y="${y + 4}" width="${((amount / most) * 400).toFixed(1)}" height="16" rx="2"/><text x="${386 + (amount / most) * 400}" y="${y + 16}">${amount.toFixed(0)} ${escapeHtml(unit)}</text>`;
    });
  return `<svg viewBox="0 0 940 ${bars.length * 26}" role="img">${rows.join('\n')}</svg>`;
}

function verdict(reached: boolean | undefined): string {
  return reached === undefined ? '' : reached ? 'reached' : 'missed';
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
