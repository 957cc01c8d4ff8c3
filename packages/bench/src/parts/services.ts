import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bed } from '../bed/bed.ts';
import { PROXY } from '../bed/cless.ts';
import { PROXY_CORE } from '../bed/cores.ts';
import type { Running } from '../bed/running.ts';
import { Rounds } from '../load/rounds.ts';
import { load } from '../load/wrk.ts';
import type { Row } from '../report/row.ts';

const MANY = 1_000;
const FIGURE = 0.8;
const SCRIPT = join(import.meta.dirname, '..', '..', 'peers', 'many-services.js');
/** Node's flags of the server. */
const FLAGS = PROXY.command.filter((part) => part.startsWith('-'));

/** Requests over a thousand busy services, with a connection to each, against requests over one. */
export async function services(): Promise<Row[]> {
  const bed = await Bed.start([]);
  try {
    const start = (port: number, count: number) =>
      bed.serve(`${count} services`, port, PROXY_CORE, [
        ...[process.execPath, ...FLAGS, SCRIPT],
        ...[port, bed.direct.port, count].map(String),
      ]);
    const [one, many] = [await start(18_850, 1), await start(18_851, MANY)];
    const script = (of: Running, host: string) => {
      const path = join(bed.directory, `${of.port}.lua`);
      const request = `wrk.headers["Host"] = ${host}; return wrk.format("GET")`;
      writeFileSync(path, `request = function() ${request} end\n`);
      return path;
    };
    const scripts = new Map([
      [one, script(one, '"s0.test"')],
      [many, script(many, `"s" .. math.random(0, ${MANY - 1}) .. ".test"`)],
    ]);
    const loaded = (of: Running, seconds: number) =>
      load(of, { connections: 50, seconds, script: scripts.get(of) ?? '' });
    await loaded(one, 1);
    await loaded(many, 5); // opens a connection for every service
    const rounds = await Rounds.of([one, many], (of) => loaded(of, 3));
    const rate = (of: Running) => rounds.median(of.name, ({ requestsPerSecond }) => requestsPerSecond);
    const cpu = (of: Running) => rounds.median(of.name, ({ cpuMicros }) => cpuMicros);
    const ratio = rate(many) / rate(one);
    return [
      {
        what: `requests over ${MANY} services against one`,
        value: `${ratio.toFixed(2)} × (${rate(many).toFixed(0)} against ${rate(one).toFixed(0)} requests/s)`,
        target: `≥ ${FIGURE} ×`,
        reached: ratio >= FIGURE,
      },
      {
        what: `CPU time of a request over ${MANY} services against one`,
        value: `${(cpu(many) / cpu(one)).toFixed(2)} × (${cpu(many).toFixed(1)} against ${cpu(one).toFixed(1)} µs)`,
      },
    ];
  } finally {
    await bed.stop();
  }
}
