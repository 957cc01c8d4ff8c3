import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProxyProgram } from '@cless/testkit';
import { find, step } from '@cless/testkit/host';

const PEERS = join(import.meta.dirname, '..', 'peers');
/** The built proxy, which is what is measured. */
export const PROXY = ProxyProgram.built(
  dirname(fileURLToPath(import.meta.resolve('@cless/proxy/package.json'))),
);

/** A proxy, or none, that is measured. */
export interface Peer {
  readonly name: string;
  /** The program that must be installed. */
  readonly program: string;
  /** The Debian package that contains it. */
  readonly debianPackage?: string;
  /** The command that listens on `port` and forwards to `upstream`, and its environment. */
  command(
    port: number,
    upstream: number,
    directory: string,
  ): Promise<{ command: readonly string[]; env?: Record<string, string> }>;
}

function file(directory: string, name: string, content: string): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

interface ClessOptions {
  readonly forwarder?: 'undici' | 'http-proxy-3';
  readonly logLevel?: 'warn' | 'info';
  readonly workers?: number;
}

/** The name of cLess with its default forwarder. */
export const OURS = 'cLess (undici)';

export function cless(
  name: string,
  { forwarder = 'undici', logLevel = 'warn', workers = 1 }: ClessOptions = {},
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
        `sed "s/PORT/$PORT/g" ${template} > ${template}.$PORT\nexec taskset -c 1 ${find('nginx') ?? 'nginx'} -c ${template}.$PORT\n`,
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
          CLESS_ADMIN_LISTEN: 'off',
        },
      };
    },
  };
}

/** Where the echo of the WebSocket benchmark listens. */
export const ECHO_PORT = 18_790;

/**
 * The configuration of an nginx that answers at once with a few bytes or 1 MiB, accepts bodies, and forwards to a
 * WebSocket echo.
 */
export function upstreamConfiguration(port: number | string, directory: string): string {
  file(directory, 'big', 'x'.repeat(1024 * 1024));
  // As the user that created the folder; otherwise it could not read the file.
  const user = process.getuid?.() === 0 ? 'user root; ' : '';
  return `${user}worker_processes 1; daemon off; pid ${directory}/upstream-${port}.pid; error_log /dev/null;
events { worker_connections 8192; multi_accept on; } # or new connections wait until the others have been served
http { access_log off; keepalive_requests 100000000; keepalive_timeout 600s; client_max_body_size 0;
  client_body_buffer_size 1m; client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/temp;
  fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  server { listen 127.0.0.1:${port} backlog=4096;
    location / { default_type text/plain; return 200 "hello world\\n"; }
    location = /big { root ${directory}; }
    location = /ws { proxy_pass http://127.0.0.1:${ECHO_PORT}; proxy_http_version 1.1; proxy_read_timeout 600s;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } } }
`;
}

export const peers: readonly Peer[] = [
  cless(OURS),
  cless('cLess (http-proxy-3)', { forwarder: 'http-proxy-3' }),
  {
    name: 'http-proxy-3 alone',
    program: 'node',
    command: async (port, upstream) => ({
      command: [process.execPath, join(PEERS, 'http-proxy-3.js'), String(port), String(upstream)],
    }),
  },
  {
    name: 'nginx',
    program: 'nginx',
    debianPackage: 'nginx-light',
    async command(port, upstream, directory) {
      const configuration = `worker_processes 1; daemon off; pid ${directory}/nginx.pid; error_log /dev/null;
events { worker_connections 8192; }
http { access_log off; keepalive_requests 100000000; client_max_body_size 0; client_body_buffer_size 1m;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/temp;
  fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  upstream u { server 127.0.0.1:${upstream}; keepalive 1024; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }
    location = /ws { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } } }
`;
      return { command: [find('nginx') ?? 'nginx', '-c', file(directory, 'nginx.conf', configuration)] };
    },
  },
  {
    name: 'Caddy',
    program: 'caddy',
    debianPackage: 'caddy',
    async command(port, upstream, directory) {
      const configuration = `{\n admin off\n auto_https off\n}\nhttp://:${port} {\n bind 127.0.0.1\n reverse_proxy 127.0.0.1:${upstream}\n}\n`;
      return {
        command: [
          'caddy',
          'run',
          '--adapter',
          'caddyfile',
          '--config',
          file(directory, 'Caddyfile', configuration),
        ],
        env: { GOMAXPROCS: '1', XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
      };
    },
  },
  {
    name: 'HAProxy',
    program: 'haproxy',
    debianPackage: 'haproxy',
    async command(port, upstream, directory) {
      const configuration = `global\n nbthread 1\n maxconn 8192\ndefaults\n mode http\n timeout client 60s\n timeout server 60s\n timeout connect 5s\n http-reuse always\nfrontend f\n bind 127.0.0.1:${port}\n default_backend b\nbackend b\n server s 127.0.0.1:${upstream}\n`;
      return { command: ['haproxy', '-f', file(directory, 'haproxy.cfg', configuration)] };
    },
  },
  go('Go’s ReverseProxy'),
  // By default it keeps two idle connections per host; this one keeps all.
  go('Go’s ReverseProxy, tuned', ['1024']),
];

function go(name: string, args: readonly string[] = []): Peer {
  return {
    name,
    program: 'go',
    debianPackage: 'golang-go',
    async command(port, upstream, directory) {
      const binary = join(directory, 'reverse-proxy');
      mkdirSync(directory, { recursive: true });
      await step(
        'building Go’s ReverseProxy',
        'go',
        ['build', '-o', binary, join(PEERS, 'reverse-proxy.go')],
        {
          env: {
            GOFLAGS: '-mod=mod',
            GOCACHE: join(PEERS, '..', '..', '..', 'node_modules', '.cache', 'go'),
          },
        },
      );
      return { command: [binary, String(port), String(upstream), ...args], env: { GOMAXPROCS: '1' } };
    },
  };
}
