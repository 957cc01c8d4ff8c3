// A server of your own, here with Express, that contains services: their hosts are answered by child processes, which
// start when they are asked for; all others by the server itself.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCless } from '@cless/proxy';
import { ProcessRuntime } from '@cless/runtime-process';
import express from 'express';

const stateDirectory = mkdtempSync(join(tmpdir(), 'own-server-'));
const servicesFile = join(stateDirectory, 'services.json');
const program = (text: string) =>
  `require('node:http').createServer((_, res) => res.end(${JSON.stringify(text)})).listen(process.env.PORT)`;
writeFileSync(
  servicesFile,
  JSON.stringify({
    shop: { command: ['node', '-e', program('this is the shop')] },
    blog: { command: ['node', '-e', program('this is the blog')] },
  }),
);

const cless = createCless({
  runtime: new ProcessRuntime({ servicesFile, stateDirectory }),
  convention: false,
  services: {
    shop: { image: 'shop', hosts: ['shop.example'] },
    blog: { image: 'blog', hosts: ['blog.example', '*.blog.example'] },
  },
});

const app = express();
app.use(cless.middleware()); // before body parsers
app.get('/', (_, response) => void response.send('this is the server itself'));

const server = createServer(app).on('upgrade', cless.upgrade);
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const address = server.address();
  console.log(`listening on ${typeof address === 'object' ? address?.port : address}`);
});

process.once('SIGTERM', async () => {
  server.close();
  server.closeIdleConnections();
  await cless.close();
});
