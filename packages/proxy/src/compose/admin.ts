import { AdminServer } from '@cless/admin/serve';
import { hasCode, systemClock } from '@cless/model';
import type { Store } from '@cless/store';
import type { Logger } from 'pino';
import { explainListenError, hostAndPort } from '../edge/address.ts';
import { createPlatform } from '../platform.ts';
import type { StateDirectory } from '../process/state-directory.ts';
import type { Server } from '../server.ts';
import type { Settings } from '../settings/table.ts';
import { type ChosenRuntime, explainRefusal } from './runtime.ts';
import type { Services } from './services.ts';

export interface Administered {
  readonly server: Server;
  readonly store: Store;
  readonly state: StateDirectory;
  readonly instances: ChosenRuntime;
  readonly services: Services;
  readonly version: string;
  readonly log: Logger;
}

/**
 * Starts the admin API, and writes down its URL.
 *
 * @param token grants access to the API. Undefined means that the API is off
 * @returns undefined also if its default address is taken and was not set explicitly
 */
export async function startAdmin(
  settings: Settings,
  token: string | undefined,
  { server, store, state, instances, services, version, log }: Administered,
): Promise<AdminServer | undefined> {
  const listen = settings['admin-listen'];
  state.writeAdminUrl(undefined);
  if (listen === 'off' || token === undefined) return undefined;
  const { runtime, imageSuffix } = instances;
  const platform = createPlatform({
    server,
    runtime,
    source: services.registered,
    clock: systemClock,
    version,
    lost: () => (state.exists ? undefined : `the state directory ${state.path} is gone`),
    conventionImage: (service) => (services.convention === undefined ? undefined : service + imageSuffix),
    explainRefusal,
  });
  try {
    const admin = await AdminServer.start({
      store,
      platform,
      listen,
      token,
      hosts: settings['admin-hosts'],
      openMetrics: settings['admin-open-metrics'] === 'on',
      onError: (error) => log.error(error, 'the admin API failed'),
    });
    try {
      state.writeAdminUrl(`http://${hostAndPort(admin.address)}`);
    } catch (error) {
      log.warn(error, 'where the admin API is could not be written: the CLI needs --admin');
    }
    return admin;
  } catch (error) {
    const explained = explainListenError(error, 'CLESS_ADMIN_LISTEN', listen);
    if (settings.given.has('admin-listen') || !hasCode(explained, 'INVALID_SETTING')) throw explained;
    log.warn(`no admin API: ${explained.message}`);
    return undefined;
  }
}
