import { describeStore } from '../test/describe-store.ts';
import { MemoryStore } from './memory-store.ts';

describeStore('in memory', { create: () => new MemoryStore() });
