import { join } from 'node:path';
import { ProxyProgram } from '@cless/testkit';

/** The proxy from its sources. */
export const PROXY = ProxyProgram.fromSources(join(import.meta.dirname, '..'));
