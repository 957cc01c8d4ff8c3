import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendRaw } from '../hostile/raw.ts';

/** nginx in front of an instance, to compare with. WebSockets are configured as in its manual. */
export class Nginx {
  static readonly program = find('nginx');
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(port: number, process: ChildProcess, directory: string) {
    this.port = port;
    this.#process = process;
    this.#directory = directory;
  }

  static async start(upstream: { readonly port: number }): Promise<Nginx> {
    const directory = mkdtempSync(join(tmpdir(), 'cless-nginx-'));
    const port = await freePort();
    writeFileSync(
      join(directory, 'nginx.conf'),
      `daemon off; master_process off; pid ${directory}/pid; error_log /dev/null;
       events {}
       http {
         access_log off; client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy;
         fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
         map $http_upgrade $protocol { default ''; websocket websocket; }
         map $http_upgrade $connection_header { default close; websocket upgrade; }
         server {
           listen 127.0.0.1:${port};
           location / {
             proxy_pass http://127.0.0.1:${upstream.port}; proxy_http_version 1.1; proxy_request_buffering off;
             proxy_set_header Host $http_host;
             proxy_set_header Upgrade $protocol; proxy_set_header Connection $connection_header;
           }
         }
       }`,
    );
    const nginx = spawn(Nginx.program ?? 'nginx', ['-p', directory, '-c', join(directory, 'nginx.conf')], {
      stdio: 'ignore',
    });
    // Wait until it listens.
    for (let tries = 0; tries < 100; tries++) {
      const { text } = await sendRaw(port, 'GET / HTTP/9.9\r\n\r\n');
      if (text !== '') break;
      await sleep(50);
    }
    return new Nginx(port, nginx, directory);
  }

  stop(): void {
    this.#process.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function find(program: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${program}`], {
      encoding: 'utf8',
    }).trim();
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
