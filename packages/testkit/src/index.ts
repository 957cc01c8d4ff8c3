export { type Attack, asExpected, attack, FIRST, inParallel, LAST, type Outcome } from './attack.ts';
export { type ClientHead, clientHeads } from './client-heads.ts';
export { describeAnswers } from './describe-answers.ts';
export { describeForwarder } from './describe-forwarder.ts';
export { describeRuntime, type RuntimeHarness } from './describe-runtime.ts';
export { describeStore, sampleRevision, sampleService } from './describe-store.ts';
export { cleanUp, docker, dockerLines, noEngine, sampleImage } from './docker.ts';
export { OwnEngine } from './engine.ts';
export { FakeClock, settle } from './fake-clock.ts';
export { FakePlatform } from './fake-platform.ts';
export { FakePort } from './fake-port.ts';
export { type FakeBehaviour, FakeRuntime } from './fake-runtime.ts';
export { FixedRuntime } from './fixed-runtime.ts';
export { FORWARDERS, type ForwarderClass, type FrontUnderTest, startFront } from './front-under-test.ts';
export { type CutAnswer, cutAnswers, hostileAnswers } from './hostile-answers.ts';
export { IMAGE_REFERENCES, NO_IMAGE_REFERENCES } from './image-references.ts';
export { ImageRegistry } from './image-registry.ts';
export { Nginx } from './nginx.ts';
export {
  type Answer,
  type LogLine,
  PROXY_COMMAND,
  ProxyProcess,
  runProxy,
  stateDirectory,
} from './proxy-process.ts';
export { type RawAnswer, RawUpstream, sendRaw } from './raw.ts';
export { SAMPLE_COMMAND } from './sample-command.ts';
export { mutate, seededRandom } from './seeded-random.ts';
export { noDisks, SmallDisk } from './small-disk.ts';
export { hidesNothing, type SmugglingInput, smugglingCorpus } from './smuggling-corpus.ts';
export { HalfRequestError, parseStrictly } from './strict-parser.ts';
export { upgradeCorpus } from './upgrade-corpus.ts';
export { Witness } from './witness.ts';
