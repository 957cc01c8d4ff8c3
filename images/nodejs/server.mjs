// A small HTTP server that greets, and stops on SIGTERM.

import { createServer } from 'node:http';

const port = Number(process.env.PORT ?? 8080);

const server = createServer((request, response) => {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`Hello from Node.js! You asked for ${request.url}\n`);
});

server.listen(port, '0.0.0.0', () => console.log(`listening on ${port}`));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
  });
}
