// http-proxy-3 alone, as its README starts, with a keep-alive agent: `node http-proxy-3.js PORT UPSTREAM_PORT`.
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';

const [, , port, upstream] = process.argv;
const proxy = createProxyServer({
  target: `http://127.0.0.1:${upstream}`,
  agent: new Agent({ keepAlive: true }),
});
proxy.on('error', () => {});
createServer((request, response) => proxy.web(request, response))
  .on('upgrade', (request, socket, head) => proxy.ws(request, socket, head))
  .listen(Number(port), '127.0.0.1');
