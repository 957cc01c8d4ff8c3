export { type EngineState, engineRuns, ensureEngine, install } from './engine.ts';
export { buildSamples, buildTestImage, imageExists, sampleNames } from './images.ts';
export { attempt, find, step } from './shell.ts';
