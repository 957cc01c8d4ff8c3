import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/*
 * Every file with logic has a test beside it. Logic means branches, of which a file needs some before a test says
 * more than its types.
 */

const ROOT = join(import.meta.dirname, '..', '..');

/** Files with fewer branches need no test of their own. */
const FEW = 8;

const BRANCHES: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.IfStatement,
  ts.SyntaxKind.ConditionalExpression,
  ts.SyntaxKind.CaseClause,
  ts.SyntaxKind.CatchClause,
  ts.SyntaxKind.ForStatement,
  ts.SyntaxKind.ForOfStatement,
  ts.SyntaxKind.WhileStatement,
  ts.SyntaxKind.DoStatement,
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
]);

/** How many branches a program has. */
export function branches(code: string): number {
  let count = 0;
  const visit = (node: ts.Node): void => {
    if (BRANCHES.has(node.kind)) count += 1;
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('code.ts', code, ts.ScriptTarget.Latest));
  return count;
}

/** Fakes and the stories of model tests need no tests. */
const OF_TESTS = /^packages\/(?:testkit|bench|chaos)\/|\/stories\/|\/fake-[^/]*$/;

/** Files with logic and no test beside them (`FILE.test.ts`, `FILE.KIND.test.ts`), by their path from the root. */
export function untested(): string[] {
  return globSync('packages/*/src/**/*.ts', { cwd: ROOT })
    .filter((file) => !file.endsWith('.test.ts') && !OF_TESTS.test(file))
    .filter((file) => globSync(file.replace(/\.ts$/, '{,.*}.test.ts'), { cwd: ROOT }).length === 0)
    .filter((file) => branches(readFileSync(join(ROOT, file), 'utf8')) >= FEW)
    .sort();
}
