import type { Row } from '../report/row.ts';
import { lookUps } from './look-ups.ts';
import { memory } from './memory.ts';
import { services } from './services.ts';

/** What grows with the number of services and of requests, and what does not. */
export async function benchScale(): Promise<Row[]> {
  return [lookUps(), ...(await services()), await memory()];
}
