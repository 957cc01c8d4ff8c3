// node:http answering by itself: the cost of its parser and of writing. `node node-answers.js PORT`
import { createServer } from 'node:http';

const [, , port] = process.argv;
createServer((_, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 12 });
  response.end('hello world\n');
}).listen(Number(port), '127.0.0.1');
