import { expect, test } from 'vitest';
import { check, programsOf, readPrograms } from './programs.ts';

test('all programs of pages and examples compile under strict, and nothing has to be cast', () => {
  const programs = readPrograms();
  const places = programs.map(({ where }) => where.replace(/:\d+$/, ''));
  expect(places).toEqual(
    expect.arrayContaining(['packages/proxy/README.md', 'examples/custom-runtime/main.ts']),
  );
  expect(check(programs)).toEqual([]);
});

test('what does not compile, and what is told to the compiler instead, is found', () => {
  const page = [
    '# Page',
    '```ts',
    "import { Router } from '@cless/router';",
    "new Router().route('a.example').service;",
    '```',
    '```sh',
    'not looked at',
    '```',
    '```ts',
    'const a: string | undefined = process.env.A;',
    'console.log(a!.length, a as string, [1] as const);',
    '```',
    '```js',
    'const b = (c) => c;',
    'console.log(b, /** @type {any} */ (b));',
    '```',
  ].join('\n');
  const programs = programsOf('docs/page.md', page);
  expect(programs.map(({ where }) => where)).toEqual([
    'docs/page.md:3',
    'docs/page.md:10',
    'docs/page.md:14',
  ]);
  expect(check(programs)).toEqual([
    "docs/page.md:3: line 2: Object is possibly 'undefined'.",
    'docs/page.md:10: needs a cast: a!',
    'docs/page.md:10: needs a cast: a as string',
    "docs/page.md:14: line 1: Parameter 'c' implicitly has an 'any' type.",
    'docs/page.md:14: needs a cast: (b)',
  ]);
});
