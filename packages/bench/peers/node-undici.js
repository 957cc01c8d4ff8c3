// The two parts cLess consists of, with nothing in between: node:http in front, undici's dispatcher behind. `node
// node-undici.js PORT UPSTREAM_PORT`
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [, , port, upstream] = process.argv;
const pool = new Pool(`http://127.0.0.1:${upstream}`, { connections: 1024, pipelining: 1 });
createServer((request, response) => {
  pool.dispatch(
    { path: request.url, method: request.method, headers: request.rawHeaders },
    {
      onRequestStart() {},
      onResponseStart(_, status, headers) {
        response.writeHead(status, headers);
      },
      onResponseData(_, chunk) {
        response.write(chunk);
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError() {
        response.destroy();
      },
    },
  );
}).listen(Number(port), '127.0.0.1');
