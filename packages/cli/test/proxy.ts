import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProxyProgram } from '@cless/testkit';

/** The proxy from its sources. */
export const PROXY = ProxyProgram.fromSources(
  dirname(fileURLToPath(import.meta.resolve('@cless/proxy/package.json'))),
);
