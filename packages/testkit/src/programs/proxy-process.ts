import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as sendRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One line of the proxy's log. */
export interface LogLine {
  readonly msg: string;
  readonly level: number;
  readonly [field: string]: unknown;
}

/** An answer, read to the end. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for
  json(): any;
}

const SOURCE = new URL('../host/source.ts', import.meta.url).href;

/** The proxy as a program: Node's flags and the file to run. */
export class ProxyProgram {
  readonly command: readonly string[];

  constructor(command: readonly string[]) {
    this.command = command;
  }

  /** The built program of a package, with the flags of `npm start`. */
  static built(directory: string): ProxyProgram {
    const { scripts } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    const [, ...command] = scripts.start.replace(/^exec /, '').split(' ') as string[];
    return new ProxyProgram(command.map((part) => (part.startsWith('-') ? part : join(directory, part))));
  }

  /** The same from sources, including those of the packages it imports. */
  static fromSources(directory: string): ProxyProgram {
    const flags = ProxyProgram.built(directory).command.slice(0, -1);
    return new ProxyProgram([...flags, `--import=${SOURCE}`, join(directory, 'src/main.ts')]);
  }

  /** Starts it and waits until it listens. @throws with its output if it does not */
  async start(
    settings: Readonly<Record<string, string>>,
    /** The command prefix that enters a network namespace. Default: none. */
    enter: readonly string[] = [],
    args: readonly string[] = [],
  ): Promise<ProxyProcess> {
    const child = this.#spawn(
      {
        CLESS_LISTEN: '127.0.0.1:0',
        CLESS_ADMIN_LISTEN: '127.0.0.1:0',
        CLESS_LOG_FORMAT: 'json',
        ...(process.env.TEST_WORKERS !== undefined && { CLESS_WORKERS: process.env.TEST_WORKERS }),
        ...settings,
      },
      args,
      enter,
    );
    const lines: LogLine[] = [];
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const listening = new Promise<LogLine>((resolve, reject) => {
      let rest = '';
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        const parts = (rest + text).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) {
          const line = JSON.parse(part) as LogLine;
          lines.push(line);
          if (line.msg.startsWith('listening')) resolve(line);
        }
      });
      child.once('exit', (code) => reject(new Error(`the proxy exited with code ${code}: ${errors}`)));
    });
    const { address } = await listening;
    const port = Number(String(address).split(':').at(-1));
    const relay = enter.length === 0 ? undefined : await startRelay(enter, port);
    return new ProxyProcess({ child, lines, port, relay, main: this.command.at(-1) ?? '' });
  }

  /** Runs it until it exits by itself, for settings that it refuses. */
  async run(
    settings: Readonly<Record<string, string>>,
    args: readonly string[] = [],
  ): Promise<{ code: number; output: string }> {
    const child = this.#spawn(settings, args, []);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [code] = (await once(child, 'close')) as [number];
    return { code, output };
  }

  #spawn(
    settings: Readonly<Record<string, string>>,
    args: readonly string[],
    enter: readonly string[],
  ): ChildProcess {
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('CLESS_')),
    );
    const [program = process.execPath, ...rest] = [...enter, process.execPath, ...this.command, ...args];
    return spawn(program, rest, {
      env: { ...env, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

interface Parts {
  readonly child: ChildProcess;
  readonly lines: LogLine[];
  readonly port: number;
  readonly relay: Relay | undefined;
  readonly main: string;
}

/** The real proxy as a separate process, with the test's settings. */
export class ProxyProcess {
  readonly port: number;
  readonly lines: LogLine[];
  readonly #child: ChildProcess;
  readonly #relay: Relay | undefined;
  readonly #main: string;

  constructor({ child, lines, port, relay, main }: Parts) {
    this.#child = child;
    this.lines = lines;
    this.port = port;
    this.#relay = relay;
    this.#main = main;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The pids of its workers. */
  get workers(): number[] {
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim();
    return (children === '' ? [] : children.split(' '))
      .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(this.#main))
      .map(Number);
  }

  /** Its exit code; null while it runs. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** Sends a request for a host. */
  fetch(
    host: string,
    path = '/',
    {
      method = 'GET',
      headers = {},
      body,
      signal,
    }: { method?: string; headers?: Record<string, string>; body?: string; signal?: AbortSignal } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = sendRequest(
        {
          ...(this.#relay === undefined
            ? { host: '127.0.0.1', port: this.port }
            : { socketPath: this.#relay.socketPath }),
          method,
          path,
          agent: false,
          headers: { Host: host, ...headers },
          ...(signal && { signal }),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text,
              json: () => JSON.parse(text),
            });
          });
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  /** Lines of the log whose message contains the text. */
  logged(text: string): LogLine[] {
    return this.lines.filter(({ msg }) => msg.includes(text));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Stops it and waits. Returns its exit code, or the signal that ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    this.#relay?.stop();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      return this.#child.exitCode ?? this.#child.signalCode;
    this.#child.kill(signal);
    return this.exited();
  }

  async exited(): Promise<number | NodeJS.Signals | null> {
    const [code, killedBy] = (await once(this.#child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? killedBy;
  }
}

/** Creates a state directory for a test's proxies. */
export function stateDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'cless-state-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Relay {
  readonly socketPath: string;
  stop(): void;
}

/** Starts a relay into a network namespace, by a Unix socket, which is not bound to a namespace. */
export async function startRelay(enter: readonly string[], port: number): Promise<Relay> {
  const directory = mkdtempSync(join(tmpdir(), 'cless-relay-'));
  const socketPath = join(directory, 'socket');
  const [program = '', ...args] = enter;
  const script = fileURLToPath(new URL('./relay.ts', import.meta.url));
  const relay = spawn(
    program,
    [...args, process.execPath, '--disable-warning=ExperimentalWarning', script, socketPath, String(port)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(relay.stdout, 'data');
  return {
    socketPath,
    stop() {
      relay.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
