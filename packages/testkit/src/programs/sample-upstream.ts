/*
 * A small service whose behaviour is set by its environment. It runs alone (`node sample-upstream.ts`), as a child
 * process and in a container, and needs only Node.
 *
 *   START_DELAY_MS   listens only after so long
 *   UNREADY_MS       answers 503 for so long
 *   EXIT_CODE        says why on stderr and exits at once
 *   NEVER_LISTEN     runs, but never listens
 *   IGNORE_SIGTERM   has to be killed
 *   LEDGER_FILE      where `/once` writes each id, too: a file that outlives it
 */
import { createHash, randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const env = process.env;
const instance = randomUUID();
const startedAt = Date.now();

if (env.EXIT_CODE !== undefined) {
  process.stderr.write('first I looked around\nthen I gave up: no database\n');
  process.exit(Number(env.EXIT_CODE));
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://upstream');
  if (Date.now() - startedAt < Number(env.UNREADY_MS ?? 0)) {
    response.writeHead(503).end('not yet\n');
    return;
  }
  const handle = routes[url.pathname] ?? greet;
  handle(request, response, url);
});

type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

const routes: Record<string, Handler> = {
  '/echo': echo,
  '/once': once,
  '/events': events,
  '/slow': slow,
  '/pour': pour,
  '/break': breakOff,
  '/exit': (_, response, url) => {
    response.end('bye\n', () => process.exit(Number(url.searchParams.get('code') ?? 0)));
  },
  '/exhaust': () => {
    const memory: Buffer[] = [];
    setInterval(() => memory.push(Buffer.alloc(16 * 1024 * 1024, 1)), 1);
  },
  '/environment': (_, response) => {
    response.end(JSON.stringify(env));
  },
};

function greet(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('X-Instance', instance);
  response.end(`hello from ${env.K_SERVICE ?? 'nobody'} at ${request.url}\n`);
}

/** Answers with the request as JSON. */
async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url, rawHeaders } = request;
  const hash = createHash('sha256');
  let length = 0;
  let start = '';
  for await (const chunk of request) {
    hash.update(chunk);
    length += chunk.length;
    if (start.length < 100) start += chunk.toString('latin1');
  }
  response.setHeader('Content-Type', 'application/json');
  response.end(
    JSON.stringify({
      instance,
      method,
      url,
      rawHeaders,
      body: { length, sha256: hash.digest('hex'), start: start.slice(0, 100) },
    }),
  );
}

/**
 * Writes the given id to the log, and to the ledger if there is one, so that a test can check that nothing is
 * executed twice.
 */
async function once(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  let body = '';
  for await (const chunk of request) body += chunk;
  const id = url.searchParams.get('id');
  if (env.LEDGER_FILE !== undefined) appendFileSync(env.LEDGER_FILE, `${id}\n`);
  process.stdout.write(`executed ${id}\n`);
  response.end(body);
}

/** Sends `?count` server-sent events, one `?every` so many milliseconds. */
function events(_: IncomingMessage, response: ServerResponse, url: URL): void {
  const count = Number(url.searchParams.get('count') ?? 3);
  const everyMs = Number(url.searchParams.get('every') ?? 50);
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.flushHeaders();
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    response.write(`data: ${sent}\n\n`);
    if (sent === count) {
      clearInterval(timer);
      response.end();
    }
  }, everyMs);
  response.on('close', () => {
    clearInterval(timer);
    process.stdout.write(`events ended after ${sent}\n`);
  });
}

/** Answers after `?ms` milliseconds, and logs if the client leaves before. */
function slow(_: IncomingMessage, response: ServerResponse, url: URL): void {
  process.stdout.write('slow began\n');
  const timer = setTimeout(() => response.end('at last\n'), Number(url.searchParams.get('ms') ?? 1000));
  response.on('close', () => {
    clearTimeout(timer);
    if (!response.writableEnded) process.stdout.write('slow was aborted\n');
  });
}

/** Answers with `?bytes` bytes. */
function pour(_: IncomingMessage, response: ServerResponse, url: URL): void {
  const chunk = Buffer.alloc(256 * 1024, 'cless');
  let left = Number(url.searchParams.get('bytes') ?? 0);
  response.writeHead(200, { 'Content-Length': left });
  const more = () => {
    while (left > 0) {
      const part = chunk.subarray(0, Math.min(left, chunk.length));
      left -= part.length;
      if (!response.write(part)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

/** Breaks its answer off in the middle. */
function breakOff(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Length': 1000 });
  response.write('only the beginning', () => response.socket?.resetAndDestroy());
}

/** A WebSocket that echoes frames (RFC 6455); good enough for short unfragmented ones. */
server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
  socket.on('error', () => {});
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let buffered = head;
  socket.on('data', (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (;;) {
      const [first, second] = buffered;
      if (first === undefined || second === undefined) return;
      const length = second & 0x7f;
      if (length > 125) return void socket.destroy();
      if (buffered.length < 6 + length) return;
      const mask = buffered.subarray(2, 6);
      const payload = buffered.subarray(6, 6 + length).map((byte, i) => byte ^ (mask[i % 4] ?? 0));
      buffered = buffered.subarray(6 + length);
      socket.write(Buffer.concat([Buffer.from([first, length]), payload]));
      if ((first & 0x0f) === 8) socket.end();
    }
  });
  socket.on('close', () => process.stdout.write('websocket ended\n'));
});

if (env.NEVER_LISTEN === undefined) {
  setTimeout(() => server.listen(Number(env.PORT ?? 8080), '0.0.0.0'), Number(env.START_DELAY_MS ?? 0));
} else {
  setInterval(() => {}, 1_000_000);
}

process.on('SIGTERM', () => {
  process.stdout.write('SIGTERM\n');
  if (env.IGNORE_SIGTERM === undefined) process.exit(0);
});
