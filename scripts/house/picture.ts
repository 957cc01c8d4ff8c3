import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Imports, packageOf, readImports, roomOf } from './imports.ts';
import { FLOORS } from './order.ts';

/*
 * The pictures of docs/architecture.md, drawn from the imports. `npm run picture` draws them anew.
 */

const ROOT = join(import.meta.dirname, '..', '..');
export const PAGE = join(ROOT, 'docs', 'architecture.md');

/** Which of the others each one imports. */
type Arrows = ReadonlyMap<string, ReadonlySet<string>>;

/** The page with its pictures as the imports are now. @throws if it has no place for one of them */
export function withPictures(page: string, imports: Imports): string {
  return replace(replace(page, 'packages', packages(imports)), 'folders of the proxy', rooms(imports));
}

/** The page with what is between its two marks of that name replaced. @throws if it has none */
export function replace(page: string, name: string, picture: string): string {
  const [begin, end] = [`<!-- ${name}: drawn by npm run picture -->\n`, `<!-- end of ${name} -->\n`];
  const [before, rest] = page.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined) throw new Error(`the page has no ${begin}…${end}`);
  return `${before}${begin}\n${picture}\n\n${end}${after}`;
}

/** The packages that are published, and the model in each of them. */
function packages(imports: Imports): string {
  const arrows = between(imports, packageOf);
  const manifests = new Map([...arrows.keys()].map((name) => [name, manifest(name)]));
  const shown = new Map(
    [...arrows].filter(([name]) => name === 'model' || manifests.get(name)?.private !== true),
  );
  return draw(shown, (name) => ({ link: `packages/${name}`, is: manifests.get(name)?.description ?? '' }));
}

function manifest(name: string): { description?: string; private?: boolean } {
  return JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8'));
}

function rooms(imports: Imports): string {
  const proxy = new Map([...imports].filter(([module]) => packageOf(module) === 'proxy'));
  const meanings = Object.assign({}, ...FLOORS);
  const arrows = between(proxy, roomOf);
  const sorted = Object.keys(meanings).reverse();
  const shown = new Map([...arrows].sort(([a], [b]) => sorted.indexOf(a) - sorted.indexOf(b)));
  return draw(shown, (room) => ({ link: `packages/proxy/src/${room}`, is: meanings[room] ?? '' }));
}

function between(imports: Imports, groupOf: (module: string) => string): Arrows {
  const arrows = new Map<string, Set<string>>();
  for (const [module, targets] of imports) {
    const from = groupOf(module);
    const group = arrows.get(from) ?? new Set();
    arrows.set(from, group);
    for (const target of targets) {
      const to = groupOf(target);
      if (to !== from && imports.has(target)) group.add(to);
    }
  }
  return arrows;
}

/** A diagram, in which an arrow that others imply is left out, and a list, in which none is. */
function draw(arrows: Arrows, about: (name: string) => { link: string; is: string }): string {
  const lines = [...arrows].flatMap(([from, targets]) =>
    [...targets]
      .filter((to) => arrows.has(to) && ![...targets].some((by) => by !== to && leadsTo(arrows, by, to)))
      .sort()
      .map((to) => `    ${from} --> ${to}`),
  );
  const items = [...arrows].map(([name, targets]) => {
    const { link, is } = about(name);
    const imported = [...targets].filter((to) => arrows.has(to)).sort();
    return `- [${name}](../${link})${is && `: ${is}`}${imported.length > 0 ? `; imports ${imported.join(', ')}` : ''}`;
  });
  return ['```mermaid', 'flowchart TB', ...lines, '```', '', ...items].join('\n');
}

function leadsTo(arrows: Arrows, from: string, to: string, seen = new Set<string>()): boolean {
  if (seen.has(from)) return false;
  seen.add(from);
  return [...(arrows.get(from) ?? [])].some((next) => next === to || leadsTo(arrows, next, to, seen));
}

if (import.meta.main) writeFileSync(PAGE, withPictures(readFileSync(PAGE, 'utf8'), readImports()));
