import type { Service } from '@cless/model';
import { notFound } from '../http/problem.ts';
import type { Store } from '../platform.ts';

/** The registered service of that name. @throws a 404 if there is none */
export function knownService(store: Store, name: string): Service {
  const service = store.service(name);
  if (service === undefined) throw notFound('service', name);
  return service;
}
