// Containers without the proxy: runs one, asks it, freezes it, lets it run on, removes it.
import { DockerRuntime } from '@cless/runtime-docker';

const ports = { from: 18420, to: 18429 };
const image = process.argv[2] ?? 'golang-docker';

await using runtime = new DockerRuntime({ owner: 'example-docker-alone', ports });
await using instance = await runtime.run({ image });

const answer = await fetch(`http://${instance.endpoint.host}:${instance.endpoint.port}/`);
console.log((await answer.text()).trim());

await runtime.pause(instance.id);
console.log((await runtime.inspect(instance.id))?.state);
await runtime.resume(instance.id);
console.log((await runtime.inspect(instance.id))?.state);

await instance.stop();
console.log((await runtime.inspect(instance.id)) === undefined ? 'gone' : 'left');
