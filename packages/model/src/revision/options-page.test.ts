import { expect, test } from 'vitest';
import { optionsPage } from './options-page.ts';

test('the page of the options is that of their description (`vitest -u` writes it anew)', async () => {
  await expect(optionsPage()).toMatchFileSnapshot('../../../../docs/options.md');
});
