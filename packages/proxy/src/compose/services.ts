import type { Runtime } from '@cless/model';
import { Router } from '@cless/router';
import type { Store } from '@cless/store';
import type { Logger } from 'pino';
import { SourceChain } from '../services/chain.ts';
import { ConventionSource } from '../services/convention.ts';
import { RegisteredSource } from '../services/registered.ts';
import type { RouterTable } from '../services/router.ts';
import type { ServiceSource } from '../services/source.ts';
import type { Settings } from '../settings/table.ts';
import { revisionDefaultsOf } from './defaults.ts';

/** The parts that turn hosts into services. */
export interface Services {
  /** All sources as one. */
  readonly source: ServiceSource;
  readonly registered: RegisteredSource;
  /** Undefined if it is off. */
  readonly convention: ConventionSource | undefined;
}

export function composeRouter(settings: Settings): Router {
  return new Router({
    convention: settings.convention === 'on',
    ...(settings.domain !== '' && { domain: settings.domain }),
  });
}

/** Combines the services of the store and, after them, those by convention. */
export function composeServices(
  settings: Settings,
  {
    store,
    router,
    runtime,
    imageSuffix,
    log,
  }: {
    readonly store: Store;
    readonly router: RouterTable;
    readonly runtime: Runtime;
    readonly imageSuffix: string;
    readonly log: Logger;
  },
): Services {
  const defaults = revisionDefaultsOf(settings);
  const registered = new RegisteredSource({ store, router, defaults });
  const convention =
    settings.convention === 'on'
      ? new ConventionSource({ runtime, imageSuffix, defaults, warn: (message) => log.warn(message) })
      : undefined;
  return {
    source: new SourceChain([registered, ...(convention ? [convention] : [])]),
    registered,
    convention,
  };
}

/** The same in a worker, which asks the primary for services that are not in the store. */
export function composeRemoteServices(
  settings: Settings,
  {
    store,
    router,
    primary,
  }: { readonly store: Store; readonly router: RouterTable; readonly primary: ServiceSource },
): Omit<Services, 'convention'> {
  const registered = new RegisteredSource({ store, router, defaults: revisionDefaultsOf(settings) });
  const behind = settings.convention === 'on' ? [primary] : [];
  return { source: new SourceChain([registered, ...behind]), registered };
}
