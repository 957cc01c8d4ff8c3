import { portOf, runWorker } from '@cless/proxy';
import { frontParts } from './front-under-test.ts';

/* One of the processes of `startFront`. */

runWorker({
  ...(await frontParts(JSON.parse(process.argv[2] ?? ''))),
  port: portOf(process),
  onAccess: undefined,
  createSource: (primary) => primary,
});
