export { describeRuntime, type RuntimeHarness } from './describe-runtime.ts';
export { cleanUp, docker, dockerLines, noEngine, sampleImage } from './docker.ts';
