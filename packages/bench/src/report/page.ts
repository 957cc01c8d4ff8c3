import { chart } from './chart.ts';
import { escapeHtml } from './html.ts';
import { type Bar, type Row, verdict } from './row.ts';

/** The rows as a page, with a chart for all bars of one title. */
export function page(rows: readonly Row[], about: string): string {
  const charts = new Map<string, Bar[]>();
  for (const { chart: bar } of rows) if (bar) charts.set(bar.title, [...(charts.get(bar.title) ?? []), bar]);
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
${[...charts].map(([title, bars]) => `<h2>${escapeHtml(title)}</h2>\n${chart(bars)}`).join('\n')}
<h2>Everything</h2>
<table>${rows.map(({ what, value }) => `<tr><td>${escapeHtml(what)}<td>${escapeHtml(value)}`).join('\n')}
</table>
</html>
`;
}
