export {
  FORWARDERS,
  type ForwarderClass,
  type FrontUnderTest,
  startFront,
} from '../../proxy/test/front-under-test.ts';
export { describeStore, sampleRevision, sampleService } from '../../store/test/describe-store.ts';
export { cleanUp, docker, dockerLines, noEngine, sampleImage } from './docker/docker.ts';
export { OwnEngine } from './docker/engine.ts';
export { IMAGE_REFERENCES, NO_IMAGE_REFERENCES } from './docker/image-references.ts';
export { ImageRegistry } from './docker/image-registry.ts';
export { FakeClock, settle } from './fakes/fake-clock.ts';
export { FakePlatform } from './fakes/fake-platform.ts';
export { FakePort } from './fakes/fake-port.ts';
export { type FakeBehaviour, FakeRuntime } from './fakes/fake-runtime.ts';
export { FixedRuntime } from './fakes/fixed-runtime.ts';
export { type Attack, asExpected, attack, FIRST, inParallel, LAST, type Outcome } from './hostile/attack.ts';
export { type ClientHead, clientHeads } from './hostile/client-heads.ts';
export { type CutAnswer, cutAnswers, hostileAnswers } from './hostile/hostile-answers.ts';
export { type RawAnswer, RawUpstream, sendRaw } from './hostile/raw.ts';
export { mutate, seededRandom } from './hostile/seeded-random.ts';
export { hidesNothing, type SmugglingInput, smugglingCorpus } from './hostile/smuggling-corpus.ts';
export { HalfRequestError, parseStrictly } from './hostile/strict-parser.ts';
export { upgradeCorpus } from './hostile/upgrade-corpus.ts';
export { Witness } from './hostile/witness.ts';
export { Nginx } from './programs/nginx.ts';
export {
  type Answer,
  type LogLine,
  PROXY_COMMAND,
  ProxyProcess,
  runProxy,
  stateDirectory,
} from './programs/proxy-process.ts';
export { SAMPLE_COMMAND } from './programs/sample-command.ts';
export { noDisks, SmallDisk } from './programs/small-disk.ts';
export { describeAnswers } from './suites/describe-answers.ts';
export { describeForwarder } from './suites/describe-forwarder.ts';
export { describeRuntime, type RuntimeHarness } from './suites/describe-runtime.ts';
