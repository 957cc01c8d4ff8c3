import { describeStore } from '@cless/testkit';
import { MemoryStore } from './memory-store.ts';

describeStore('in memory', { create: () => new MemoryStore() });
