import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type HeadBytes, heads } from './heads.ts';
import { type Punctuality, Timetable } from './timetable.ts';

/*
 * The load of an open loop, a program of its own: `node generator.ts PORT REQUESTS_PER_SECOND SECONDS`. Prints what it
 * measured as JSON.
 */

const CONNECTIONS = 100;
const HEAD: HeadBytes = 36;
/** Comes before what is measured, at the same rate. */
const WARM_UP_SECONDS = 0.5;
/** How long it waits for the answers that are still missing. */
const PATIENCE_MS = 1_000;
const READ_BYTES = 16 * 1024;
/**
 * How long it sleeps between looking for answers and for requests that are due. Without sleep it would take the core from
 * the upstream; a timer of Node's would take a millisecond.
 */
const NAP_MS = 0.03;
/** The end of the upstream's answer. */
const END = 'world\n';

/** A connection that has at most one request under way. */
interface Line {
  readonly socket: Socket;
  request: number;
}

const [port = 0, perSecond = 0, seconds = 0] = process.argv.slice(2).map(Number);
const messages = heads(HEAD);
const free: Line[] = [];
const nap = new Int32Array(new SharedArrayBuffer(4));
let onAnswer: (line: Line) => void = () => {};

/** Connects, and has one request answered, so that the proxy has accepted the connection. */
function open(): Promise<Line> {
  return new Promise((resolve, reject) => {
    const buffer = Buffer.alloc(READ_BYTES);
    const read = (length: number) => {
      if (buffer.toString('latin1', Math.max(0, length - END.length), length) === END) onAnswer(line);
      return true;
    };
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback: read } });
    const line = { socket, request: 0 };
    onAnswer = resolve;
    socket.once('error', reject).once('connect', () => send(line, 0));
  });
}

function send(line: Line, request: number): void {
  line.request = request;
  line.socket.write(messages[request % messages.length] ?? '', 'latin1');
}

/** Sends at the rate, whatever the answers do. */
function run(timetable: Timetable): Promise<Punctuality> {
  onAnswer = (line) => {
    const nowMs = performance.now();
    timetable.answered(line.request, nowMs);
    const next = timetable.take(nowMs);
    if (next === undefined) free.push(line);
    else send(line, next);
  };
  return new Promise((resolve) => {
    const turn = () => {
      const nowMs = performance.now();
      if (timetable.isAnswered || nowMs > timetable.endMs + PATIENCE_MS)
        return resolve(timetable.sum(nowMs, WARM_UP_SECONDS));
      for (let line = free[0]; line !== undefined; line = free[0]) {
        const request = timetable.takeIdle(nowMs);
        if (request === undefined) break;
        free.shift();
        send(line, request);
      }
      Atomics.wait(nap, 0, 0, NAP_MS);
      setImmediate(turn);
    };
    turn();
  });
}

// The kernel may let it sleep longer by so many nanoseconds; by default 50,000.
writeFileSync('/proc/self/timerslack_ns', '1');
for (let i = 0; i < CONNECTIONS; i++) free.push(await open());
const measured = await run(new Timetable(performance.now(), perSecond, WARM_UP_SECONDS + seconds));
process.stdout.write(JSON.stringify(measured));
process.exit(0);
