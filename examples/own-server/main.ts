// Router and readiness probe in somebody's own server: it tells services apart by hostname and, before it listens,
// waits for what is behind each of them.
import { createServer, request as sendRequest } from 'node:http';
import { waitUntilReady } from '@cless/health';
import { Router } from '@cless/router';

const backends: Record<string, number> = JSON.parse(process.argv[2] ?? '{"shop": 4001, "blog": 4002}');

const router = new Router({
  services: Object.keys(backends).map((service) => ({
    service,
    hosts: [`${service}.example`, `*.${service}.example`],
  })),
  convention: false,
});

await Promise.all(Object.values(backends).map((port) => waitUntilReady({ host: '127.0.0.1', port })));

const server = createServer((request, response) => {
  const route = lookUp(request.headers.host ?? '');
  if (route === undefined) {
    response.writeHead(404).end('no such service\n');
    return;
  }
  const { method, url, headers } = request;
  const upstream = sendRequest(
    { port: backends[route.service], host: '127.0.0.1', method, path: url, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  upstream.on('error', () => response.destroy());
  request.pipe(upstream);
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`listening on ${typeof address === 'object' ? address?.port : address}`);
});

function lookUp(host: string) {
  try {
    return router.route(host);
  } catch {
    return undefined; // no host at all
  }
}
