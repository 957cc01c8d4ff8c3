export { cleanUp, docker, dockerLines, noEngine, sampleImage } from './docker/docker.ts';
export { OwnEngine } from './docker/engine.ts';
export { IMAGE_REFERENCES, NO_IMAGE_REFERENCES } from './docker/image-references.ts';
export { ImageRegistry } from './docker/image-registry.ts';
export { FakeClock, settle } from './fakes/clock.ts';
export { FixedRuntime } from './fakes/fixed-runtime.ts';
export { FakePlatform } from './fakes/platform.ts';
export { FakePort } from './fakes/port.ts';
export { type FakeBehaviour, FakeRuntime } from './fakes/runtime.ts';
export { sampleRevision, sampleService } from './fakes/samples.ts';
export { type CutAnswer, cutAnswers, hostileAnswers } from './hostile/answers.ts';
export { type Attack, asExpected, attack, FIRST, inParallel, LAST, type Outcome } from './hostile/attack.ts';
export { type ClientHead, clientHeads } from './hostile/client-heads.ts';
export { fuzzRuns, fuzzSeed } from './hostile/fuzz-runs.ts';
export { type RawAnswer, RawUpstream, sendRaw } from './hostile/raw.ts';
export { mutate, seededRandom } from './hostile/seeded-random.ts';
export { hidesNothing, type SmugglingInput, smugglingCorpus } from './hostile/smuggling-corpus.ts';
export { HalfRequestError, parseStrictly, takeRequest } from './hostile/strict-parser.ts';
export { upgradeCorpus } from './hostile/upgrade-corpus.ts';
export { Witness } from './hostile/witness.ts';
export { Nginx } from './programs/nginx.ts';
export {
  type Answer,
  type LogLine,
  type ProxyProcess,
  ProxyProgram,
  type Relay,
  startRelay,
  stateDirectory,
} from './programs/proxy-process.ts';
export { SAMPLE_COMMAND } from './programs/sample-command.ts';
export { noDisks, SmallDisk } from './programs/small-disk.ts';
export { describeAnswers } from './suites/describe-answers.ts';
export { describeForwarder } from './suites/describe-forwarder.ts';
export { describeRuntime, type RuntimeHarness } from './suites/describe-runtime.ts';
export type { EdgeOptions, EdgeUnderTest, StartEdge } from './suites/edge-under-test.ts';
