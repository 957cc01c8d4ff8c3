import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FORWARDERS,
  type FrontUnderTest,
  RawUpstream,
  sendRaw,
  smugglingCorpus,
  startFront,
} from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

/*
 * The corpus of `smuggling.test.ts` once more, with nginx beside: what nginx refuses we refuse, too, or pass on for a
 * reason that is written here.
 */

/** What nginx refuses and we pass on, as one request with one meaning, and why. */
const PASSED_ON: Readonly<Record<string, string>> = {
  'Transfer-Encoding: ⇥chunked': 'a tab is white space, too (RFC 9110 §5.6.3); what leaves is `chunked`',
  'chunks: ffffffffffffffff␍␊hello␍':
    'the head is good; the connection is broken off in the middle of the body',
  'target: /%': 'paths are passed on byte for byte; what they mean is for the app',
  'target: /%00': 'the same',
  'Host: a␠tab': 'white space around a value is none of it',
  'version: RTSP/1.0': 'Node takes it for HTTP/1.0 and does not tell; what leaves is HTTP/1.1',
  'body of: TRACE': 'a client should not (RFC 9110 §9.3.8), but its length is clear',
  'length of: TRACE': 'the same',
  'expect: twice': 'answered here; what leaves has no Expect',
};

const nginx = find('nginx');

describe.skipIf(nginx === undefined)('nginx as the yardstick', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cless-nginx-'));
  let upstream: RawUpstream;
  let front: FrontUnderTest;
  let peer: ChildProcess;
  let peerPort: number;

  beforeAll(async () => {
    upstream = await RawUpstream.listen();
    front = await startFront(FORWARDERS.undici, { raw: upstream.endpoint }, { responseTimeoutMs: 2_000 });
    peerPort = await freePort();
    writeFileSync(
      join(directory, 'nginx.conf'),
      `daemon off; master_process off; pid ${directory}/pid; error_log /dev/null;
       events {}
       http {
         access_log off; client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy;
         fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
         server {
           listen 127.0.0.1:${peerPort};
           location / { proxy_pass http://127.0.0.1:${upstream.endpoint.port}; proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_request_buffering off; }
         }
       }`,
    );
    peer = spawn(nginx ?? 'nginx', ['-p', directory, '-c', join(directory, 'nginx.conf')], {
      stdio: 'ignore',
    });
    await vi.waitFor(() => sendRaw(peerPort, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', { timeoutMs: 50 }), 5_000);
  });

  afterAll(async () => {
    peer.kill();
    await front.close();
    upstream.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Does any of it reach the instance? */
  async function passes(port: number, bytes: string): Promise<boolean> {
    upstream.forget();
    upstream.script = (connection) => {
      if (connection.answered === 0 && connection.received.includes('\r\n\r\n'))
        connection.answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    };
    await sendRaw(port, bytes, { timeoutMs: 120 }).catch(() => {});
    return upstream.connections.some(({ received }) => received !== '');
  }

  test('what nginx refuses does not pass here', { timeout: 180_000 }, async () => {
    const laxer: string[] = [];
    const counts = { both: 0, neither: 0, onlyNginx: 0, onlyHere: 0 };
    for (const { name, bytes } of smugglingCorpus) {
      const [theirs, ours] = [await passes(peerPort, bytes), await passes(front.port, bytes)];
      if (ours && !theirs) laxer.push(name);
      counts[ours ? (theirs ? 'both' : 'onlyHere') : theirs ? 'onlyNginx' : 'neither'] += 1;
    }
    expect(laxer.filter((name) => !(name in PASSED_ON))).toEqual([]);
    // Beyond that we are the stricter one.
    expect(counts.onlyNginx).toBeGreaterThan(counts.onlyHere);
  });
});

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
