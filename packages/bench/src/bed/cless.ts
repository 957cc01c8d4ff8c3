import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProxyProgram } from '@cless/testkit';
import { find } from '@cless/testkit/host';
import { LOAD_CORE } from './cores.ts';
import { file } from './file.ts';
import type { Peer } from './peer.ts';
import { upstreamConfiguration } from './upstream.ts';

/** The built proxy, which is what is measured. */
export const PROXY = ProxyProgram.built(
  dirname(fileURLToPath(import.meta.resolve('@cless/proxy/package.json'))),
);

interface ClessOptions {
  readonly forwarder?: 'undici' | 'http-proxy-3';
  readonly logLevel?: 'warn' | 'info';
  readonly workers?: number;
  readonly lane?: 'on' | 'off';
}

export function cless(
  name: string,
  { forwarder = 'undici', logLevel = 'warn', workers = 1, lane = 'on' }: ClessOptions = {},
): Peer {
  return {
    name,
    program: 'node',
    async command(port, _, directory) {
      // Its instance is the same upstream as for the others, on a port of its own.
      const template = file(directory, 'template.conf', upstreamConfiguration('PORT', directory));
      const script = file(
        directory,
        'instance.sh',
        `sed "s/PORT/$PORT/g" ${template} > ${template}.$PORT\nexec taskset -c ${LOAD_CORE} ${find('nginx') ?? 'nginx'} -c ${template}.$PORT\n`,
      );
      const servicesFile = file(
        directory,
        'services.json',
        JSON.stringify({ bench: { command: ['sh', script] } }),
      );
      return {
        command: [process.execPath, ...PROXY.command],
        env: {
          CLESS_LISTEN: `127.0.0.1:${port}`,
          CLESS_RUNTIME: 'process',
          CLESS_PROCESS_SERVICES: servicesFile,
          CLESS_STATE_DIR: join(directory, 'state'),
          CLESS_FORWARDER: forwarder,
          CLESS_LOG_LEVEL: logLevel,
          CLESS_WORKERS: String(workers),
          CLESS_LANE: lane,
          CLESS_ADMIN_LISTEN: 'off',
        },
      };
    },
  };
}

export const OURS = cless('cLess');
/** Every request takes the full way. */
export const OURS_FULL_WAY = cless('cLess without the lane', { lane: 'off' });
export const OURS_HTTP_PROXY_3 = cless('cLess (http-proxy-3)', { forwarder: 'http-proxy-3' });
