import { expect, test } from 'vitest';
import { problemsPage } from './problems-page.ts';

test('the page that problem types lead to is that of the table (`vitest -u` writes it anew)', async () => {
  await expect(problemsPage()).toMatchFileSnapshot('../../../docs/problems.md');
});
