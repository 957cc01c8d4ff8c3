import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { find, step } from '@cless/testkit/host';
import { file } from './file.ts';
import type { Peer } from './peer.ts';

const PEERS = join(import.meta.dirname, '..', '..', 'peers');

export const HTTP_PROXY_3: Peer = {
  name: 'http-proxy-3 alone',
  program: 'node',
  command: async (port, upstream) => ({
    command: [process.execPath, join(PEERS, 'http-proxy-3.js'), String(port), String(upstream)],
  }),
};

export const NGINX: Peer = {
  name: 'nginx',
  program: 'nginx',
  debianPackage: 'nginx-light',
  async command(port, upstream, directory) {
    const configuration = `worker_processes 1; daemon off; pid ${directory}/nginx.pid; error_log /dev/null;
events { worker_connections 8192; }
http { access_log off; keepalive_requests 100000000; client_max_body_size 0; client_body_buffer_size 1m;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/temp;
  fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  upstream u { server 127.0.0.1:${upstream}; keepalive 4096; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${port} backlog=4096; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }
    location = /ws { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } } }
`;
    return { command: [find('nginx') ?? 'nginx', '-c', file(directory, 'nginx.conf', configuration)] };
  },
};

export const CADDY: Peer = {
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
};

export const HAPROXY: Peer = {
  name: 'HAProxy',
  program: 'haproxy',
  debianPackage: 'haproxy',
  async command(port, upstream, directory) {
    const configuration = `global\n nbthread 1\n maxconn 8192\ndefaults\n mode http\n timeout client 60s\n timeout server 60s\n timeout connect 5s\n http-reuse always\nfrontend f\n bind 127.0.0.1:${port}\n default_backend b\nbackend b\n server s 127.0.0.1:${upstream}\n`;
    return { command: ['haproxy', '-f', file(directory, 'haproxy.cfg', configuration)] };
  },
};

export const GO = go('Go’s ReverseProxy');
/** By default it keeps two idle connections per host; this one keeps all. */
export const GO_TUNED = go('Go’s ReverseProxy, tuned', ['4096']);

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
