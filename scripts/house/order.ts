import { type Imports, packageOf, roomOf } from './imports.ts';

/*
 * Who may import whom. docs/architecture.md shows it (`picture.ts`), and `order.test.ts` holds the code to it.
 */

/**
 * The floors of packages/proxy/src, the way of a request from the bottom up, with what each room is for. A room imports
 * only what is on a floor below its own.
 */
export const FLOORS: readonly Readonly<Record<string, string>>[] = [
  { exchange: 'requests and answers, independent of the version of HTTP' },
  {
    headers: 'what headers mean, and which of them go on',
    observe: 'log, events, metrics',
    process: 'the process around it: signals, files, the last resort',
  },
  { settings: 'flags, environment, file' },
  {
    answer: 'answers of our own: problems',
    forward: 'to the instance and back',
    services: 'from a host to a service, its revisions and their traffic',
  },
  { request: 'the way of one request' },
  { lane: 'the short way of plain requests' },
  { edge: 'who listens, and owns the clients’ connections' },
  {
    workers: 'the edge in several processes',
    middleware: 'the edge in somebody else’s server',
  },
  { 'server.ts': 'edge, workers and activator together' },
  { 'platform.ts': 'what the admin API sees of them' },
  { compose: 'the parts that the settings choose' },
  {
    'main.ts': 'the program',
    'index.ts': 'what the package exports',
  },
];

/** Packages that are of use without the others: what of ours they may import. */
const ALONE: Readonly<Record<string, readonly string[]>> = {
  model: [],
  router: ['model'],
  health: ['model'],
  store: ['model'],
  activator: ['model'],
  'runtime-docker': ['model'],
  'runtime-process': ['model'],
};

/** The imports that go against the order, as `from → to`. */
export function againstOrder(imports: Imports): string[] {
  return [...imports].flatMap(([from, targets]) =>
    targets.filter((to) => !isAllowed(from, to)).map((to) => `${from} → ${to}`),
  );
}

function isAllowed(from: string, to: string): boolean {
  const [one, other] = [packageOf(from), packageOf(to)];
  if (one !== other) return ALONE[one]?.includes(other) ?? true;
  return one !== 'proxy' || roomOf(from) === roomOf(to) || floorOf(to) < floorOf(from);
}

/** NaN for a room that is not in the order: it may neither import nor be imported. */
function floorOf(module: string): number {
  const floor = FLOORS.findIndex((rooms) => roomOf(module) in rooms);
  return floor < 0 ? Number.NaN : floor;
}

/** Groups of modules that import each other, directly or through others. */
export function circles(imports: Imports): string[][] {
  // Tarjan's strongly connected components; one of a single module is no circle.
  const order = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (module: string): number => {
    const own = order.size;
    order.set(module, own);
    open.push(module);
    let lowest = own;
    for (const target of imports.get(module) ?? []) {
      const seen = order.get(target);
      if (seen === undefined) lowest = Math.min(lowest, visit(target));
      else if (open.includes(target)) lowest = Math.min(lowest, seen);
    }
    if (lowest === own) {
      const group = open.splice(open.indexOf(module));
      if (group.length > 1) found.push(group.sort());
    }
    return lowest;
  };
  for (const module of imports.keys()) if (!order.has(module)) visit(module);
  return found.sort();
}
