import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/**
 * A registry (OCI distribution, pull only) with one image of one small layer. Engines trust registries on loopback
 * without TLS.
 */
export class ImageRegistry {
  readonly #server: Server;
  readonly #blobs = new Map<string, Buffer>();
  readonly #manifest: Buffer;
  /** How long to hold back each blob, in milliseconds. */
  delayMs = 0;
  /** The paths of the requests so far. */
  readonly asked: string[] = [];

  private constructor(server: Server) {
    this.#server = server;
    const layer = smallLayer();
    const config = Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: { Cmd: ['/nothing'], ExposedPorts: { '3000/tcp': {} } },
        rootfs: { type: 'layers', diff_ids: [digest(layer)] },
      }),
    );
    const packed = gzipSync(layer);
    for (const blob of [config, packed]) this.#blobs.set(digest(blob), blob);
    this.#manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: {
          mediaType: 'application/vnd.docker.container.image.v1+json',
          size: config.length,
          digest: digest(config),
        },
        layers: [
          {
            mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
            size: packed.length,
            digest: digest(packed),
          },
        ],
      }),
    );
    server.on('request', (request, response) => {
      const url = request.url ?? '';
      this.asked.push(url);
      const blob = this.#blobs.get(url.split('/blobs/')[1] ?? '');
      if (url === '/v2/') response.end('{}');
      else if (/^\/v2\/small\/manifests\/(?:latest|sha256:)/.test(url)) {
        response.setHeader('Content-Type', MANIFEST);
        response.setHeader('Content-Length', this.#manifest.length);
        response.setHeader('Docker-Content-Digest', digest(this.#manifest));
        response.end(request.method === 'HEAD' ? undefined : this.#manifest);
      } else if (blob !== undefined) setTimeout(() => response.end(blob), this.delayMs);
      else
        response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
    });
  }

  static async start(): Promise<ImageRegistry> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ImageRegistry(server);
  }

  /** The image's name, without a tag. */
  get image(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}/small`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

function smallLayer(): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'cless-layer-'));
  try {
    writeFileSync(join(directory, 'hello'), 'hello\n');
    return execFileSync('tar', ['-c', '-C', directory, 'hello']);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function digest(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
