import type { Service } from '@cless/model';
import type { Store } from './platform.ts';
import { notFound } from './problem.ts';

/** The registered service of that name. @throws a 404 if there is none */
export function knownService(store: Store, name: string): Service {
  const service = store.service(name);
  if (service === undefined) throw notFound('service', name);
  return service;
}
