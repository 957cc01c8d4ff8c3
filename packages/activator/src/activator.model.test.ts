import { forkHolder } from './stories/holder.ts';
import { describeStories, noWorkers } from './stories/story.ts';
import { describeVolumeStories } from './stories/volume-story.ts';

/** Several instances of a revision, each for a few requests at once. */
const MANY = { scale: { concurrency: 2, maxScale: 3 }, maxInstances: 4 };

describeStories('a story of requests in the process of the activator', {});
describeStories('a story of several instances of a revision', MANY);
for (const workers of [1, 2, 3]) {
  describeStories(`a story with ${workers} holders of quotas`, { workers, fork: forkHolder });
  describeStories(`a story of several instances with ${workers} holders of quotas`, {
    ...{ workers, fork: forkHolder },
    ...MANY,
  });
}
describeVolumeStories('a story of volumes', 0, noWorkers);
