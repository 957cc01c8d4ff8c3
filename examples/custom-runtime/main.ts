// The proxy with a custom runtime.
import { createCless } from '@cless/proxy';
import { InProcessRuntime } from './in-process-runtime.ts';

const runtime = new InProcessRuntime({
  hello: (_, response) => response.end('hello from this very process\n'),
});
const cless = createCless({ runtime, imageSuffix: '' });

const { port } = await cless.listen({ host: '127.0.0.1', port: 0 });
console.log(`listening on ${port}`);
process.once('SIGTERM', async () => {
  await cless.close();
  console.log(`${(await runtime.list()).length} left`);
});
