import { describeStories, type ForkWorker } from '../../../activator/src/stories/story.ts';
import { describeVolumeStories } from '../../../activator/src/stories/volume-story.ts';
import { FakeWorker } from './fake-worker.ts';
import { WorkerLink } from './link.ts';

/** A worker behind a channel whose messages take a while. */
const fork: ForkWorker = ({ clock, activator, source }, latencyMs) => {
  const worker = new FakeWorker(clock, latencyMs);
  new WorkerLink(worker.process, { clock, activator, source, convention: undefined });
  return {
    giver: worker.activator,
    leases: worker.leases,
    get instances() {
      return worker.activator.use().length;
    },
    die: () => worker.die(),
  };
};

for (const workers of [1, 2, 3]) describeStories(`a story with ${workers} workers`, { workers, fork });
describeStories('a story of several instances with 2 workers', {
  ...{ workers: 2, fork, maxInstances: 4 },
  scale: { concurrency: 3, maxScale: 3 },
});
describeVolumeStories('a story of volumes with 2 workers', 2, fork);
