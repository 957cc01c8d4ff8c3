import { escapeHtml } from './html.ts';
import type { Bar } from './row.ts';

const ROW_PX = 26;
const LABEL_PX = 380;
const LONGEST_PX = 400;

/** A picture (SVG) of bars, the best on top. */
export function chart(bars: readonly Bar[]): string {
  const longest = Math.max(...bars.map(({ amount }) => amount), Number.MIN_VALUE);
  const rows = [...bars].sort(byRank).map(({ label, amount, unit }, i) => {
    const text = i * ROW_PX + 16;
    const width = (amount / longest) * LONGEST_PX;
    return [
      `<text x="0" y="${text}">${escapeHtml(label)}</text>`,
      `<rect class="${label.startsWith('cLess') ? 'ours' : 'bar'}" x="${LABEL_PX}" y="${text - 12}" width="${width.toFixed(1)}" height="16" rx="2"/>`,
      `<text x="${(LABEL_PX + 6 + width).toFixed(1)}" y="${text}">${digits(amount)} ${escapeHtml(unit)}</text>`,
    ].join('');
  });
  return `<svg viewBox="0 0 940 ${bars.length * ROW_PX}" role="img">${rows.join('\n')}</svg>`;
}

function byRank(a: Bar, b: Bar): number {
  return a.best === 'least' ? a.amount - b.amount : b.amount - a.amount;
}

/** As many digits as say something: 0.123, 12.3, 12345. */
export function digits(amount: number): string {
  return amount >= 100 ? amount.toFixed(0) : amount.toPrecision(3);
}
