import { describe, expect, it } from 'vitest';
import { digits } from './chart.ts';
import { page } from './page.ts';
import type { Row } from './row.ts';
import { table } from './table.ts';

const bar = (label: string, amount: number, title: string, best?: 'least'): Row => ({
  what: `${title}: ${label}`,
  value: `${amount}`,
  chart: { title, unit: 'µs', label, amount, ...(best && { best }) },
});
const place = (html: string, text: string) => html.indexOf(text);

describe('the report', () => {
  it('shows the best bar of a chart first: the longest, or the shortest', () => {
    const rows = [
      bar('slow', 1, 'rate'),
      bar('fast', 2, 'rate'),
      bar('dear', 9, 'cost', 'least'),
      bar('cheap', 3, 'cost', 'least'),
    ];
    const html = page(rows, 'a machine');
    expect(place(html, '>fast<')).toBeLessThan(place(html, '>slow<'));
    expect(place(html, '>cheap<')).toBeLessThan(place(html, '>dear<'));
  });

  it('lists what has a figure apart, with its verdict', () => {
    const rows = [{ what: 'latency', value: '3 ms', target: '≤ 2 ms', reached: false }, bar('x', 1, 'rate')];
    const figures = page(rows, '').split('<h2>Figures</h2>')[1]?.split('</table>')[0] ?? '';
    expect(figures).toContain('<td class="missed">missed');
    expect(figures).not.toContain('rate');
    expect(table(rows).split('\n')).toEqual([
      '| what    | measured | figure |        |',
      '| ------- | -------- | ------ | ------ |',
      '| latency | 3 ms     | ≤ 2 ms | missed |',
      '| rate: x | 1        |        |        |',
    ]);
  });

  it('takes names for text, not for markup', () => {
    expect(page([bar('<b>', 1, 'a & b')], '')).toContain('<text x="0" y="16">&#60;b&#62;</text>');
  });

  it('shows as many digits as say something', () => {
    expect([0.1234, 12.34, 49_337.4].map(digits)).toEqual(['0.123', '12.3', '49337']);
  });
});
