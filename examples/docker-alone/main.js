// Containers without the proxy: starts one, asks it, freezes it, lets it run on, removes it.
import { DockerRuntime } from '@cless/runtime-docker';

const runtime = new DockerRuntime({ owner: 'example-docker-alone', ports: { from: 18420, to: 18429 } });
const image = process.argv[2] ?? 'golang-docker';

const instance = await runtime.start({ service: 'web', revision: '1', image, port: 8080 });
const url = `http://${instance.endpoint.host}:${instance.endpoint.port}/`;
try {
  console.log(await ask(url));
  await runtime.pause(instance.id);
  console.log((await runtime.inspect(instance.id)).state);
  await runtime.resume(instance.id);
  console.log((await runtime.inspect(instance.id)).state);
} finally {
  await runtime.stop(instance.id);
  await runtime.close();
}
console.log(`${(await runtime.list()).length} left`);

async function ask(url) {
  for (let attempt = 1; attempt < 200; attempt++) {
    const response = await fetch(url, { headers: { connection: 'close' } }).catch(() => undefined);
    if (response?.ok) return (await response.text()).trim();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${url} does not answer`);
}
