export { describeRuntime, type RuntimeHarness } from './describe-runtime.ts';
export { cleanUp, docker, dockerLines, noEngine, sampleImage } from './docker.ts';
export { OwnEngine } from './engine.ts';
export { FakeClock, settle } from './fake-clock.ts';
export { type FakeBehaviour, FakeRuntime } from './fake-runtime.ts';
export { type Answer, type LogLine, ProxyProcess, runProxy, stateDirectory } from './proxy-process.ts';
