import { type Fault, WARM } from '../fault.ts';
import type { Installation } from '../installation.ts';
import { PLAIN, STREAM } from '../services.ts';

function docker(...command: string[]) {
  return ({ engine }: Installation) => engine.docker(...command);
}

/** Pruning removes what is not in use at that moment. */
export const pruneFaults: readonly Fault[] = [
  { name: 'docker container prune', inject: docker('container', 'prune', '-f'), keeps: WARM },
  { name: 'docker image prune -a', inject: docker('image', 'prune', '-af'), keeps: WARM },
  { name: 'docker network prune', inject: docker('network', 'prune', '-f'), keeps: WARM },
  {
    name: 'docker network prune, all asleep',
    asleep: true,
    inject: docker('network', 'prune', '-f'),
    keeps: [],
  },
  {
    name: 'docker system prune -a, all asleep',
    asleep: true,
    inject: docker('system', 'prune', '-af'),
    heal: async (installation) => {
      for (const service of [PLAIN, STREAM]) await installation.makeImage(service);
    },
    holdMs: 1_000,
    // Their images are gone until they are built again.
    excuses: [{ services: [PLAIN, STREAM], by: [404] }],
    keeps: [],
  },
];
