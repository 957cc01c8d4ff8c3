import { portOf } from '../../src/workers/process-port.ts';
import { runWorker } from '../../src/workers/worker.ts';
import { edgeParts } from './edge-under-test.ts';

/* One of the processes of `startEdge`. */

runWorker({
  ...edgeParts(JSON.parse(process.argv[2] ?? '')),
  port: portOf(process),
  onAccess: undefined,
  createSource: (primary) => primary,
});
