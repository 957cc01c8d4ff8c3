import { describeStories, noWorkers } from './stories/story.ts';
import { describeVolumeStories } from './stories/volume-story.ts';

describeStories('a story of requests in the process of the activator', 0, noWorkers);
describeVolumeStories('a story of volumes', 0, noWorkers);
