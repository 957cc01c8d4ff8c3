import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import type { Installation } from './installation.ts';
import { findLeftovers, type Snapshot } from './invariants.ts';
import type { FaultWindow, Ledger } from './ledger.ts';
import { CLIENT_TIMEOUT_MS, type Load } from './load.ts';
import { SERVICES } from './services.ts';

const RECOVERS_WITHIN_MS = 10_000;
/** How long leftovers may take to go, in milliseconds. */
const SETTLES_WITHIN_MS = 15_000;
/** How long the load goes on after each fault, in milliseconds. */
const CALM_MS = 500;
const MANY = 20;

/** Causes faults, and checks what must hold after each. */
export class Chaos {
  readonly #installation: Installation;
  readonly #load: Load;
  readonly #ledger: Ledger;
  readonly #windows: FaultWindow[] = [];
  #before: Snapshot | undefined;

  constructor(installation: Installation, load: Load, ledger: Ledger) {
    this.#installation = installation;
    this.#load = load;
    this.#ledger = ledger;
  }

  /** Requests all services for a while and takes a snapshot. Resolves with what is wrong already. */
  async begin(): Promise<string[]> {
    const violations = await this.#recover(RECOVERS_WITHIN_MS * 2);
    this.#load.start();
    await sleep(CALM_MS * 4);
    await this.#load.stop();
    this.#before = await this.#installation.snapshot();
    this.#load.start();
    return [...violations, ...this.#audit()];
  }

  /** Stops the load and checks a last time. */
  async end(): Promise<string[]> {
    await this.#load.stop();
    return this.#audit();
  }

  /** Runs one fault under load, until everything has recovered. Resolves with violations. */
  async round(fault: Fault): Promise<string[]> {
    const installation = this.#installation;
    const violations: string[] = [];
    const kept = await this.#instances(fault.keeps);
    const logged = installation.logSize;
    if (fault.asleep) {
      await this.#load.stop();
      await installation.putToSleep();
    }
    const fromMs = performance.now();
    try {
      await fault.inject(installation);
      if (fault.asleep) this.#load.start();
      await sleep(fault.holdMs ?? 0);
    } catch (error) {
      violations.push(messageOf(error));
    }
    try {
      await fault.heal?.(installation);
      if (!installation.running) {
        violations.push(`the proxy has ended: ${installation.errors.slice(-1_000)}`);
        await installation.start();
      }
    } catch (error) {
      violations.push(messageOf(error));
    }
    const lost = await this.#recover(fault.recoversWithinMs ?? RECOVERS_WITHIN_MS);
    // So that the next round begins with everything in order.
    if (lost.length > 0) violations.push(...lost, ...(await this.#startAnew()));
    const { name, excuses = [] } = fault;
    this.#windows.push({ fault: name, fromMs, toMs: performance.now(), excuses });

    await sleep(CALM_MS);
    await this.#load.stop();
    violations.push(...this.#audit());
    violations.push(...(await this.#settled(kept)));
    violations.push(...(await this.#untold(fault, logged)));
    this.#load.start();
    return violations.length === 0 ? [] : [...shorten(violations), ...this.#complaints(logged)];
  }

  // Private

  #audit(): string[] {
    return this.#ledger.audit(this.#windows, this.#installation.executed(), CLIENT_TIMEOUT_MS);
  }

  /** The ids of instances that must keep running. */
  async #instances(services: readonly string[]): Promise<Map<string, string>> {
    const containers = await this.#installation.containers();
    return new Map(
      containers.filter(({ service }) => services.includes(service)).map(({ service, id }) => [service, id]),
    );
  }

  /** Waits until the proxy hears from its engine again, and all services answer, twice. */
  async #recover(withinMs: number): Promise<string[]> {
    const deadline = performance.now() + withinMs;
    const asked = await Promise.all(
      SERVICES.map(async (service) => {
        let good = 0;
        let last: number | string = 0;
        while (good < 2) {
          last = await this.#installation.ask(service, withinMs);
          good = last === 200 ? good + 1 : 0;
          if (good < 2 && performance.now() > deadline)
            return [`${service} is not back within ${withinMs} ms: ${last}`];
          await sleep(50);
        }
        return [];
      }),
    );
    while (!(await this.#installation.isConnected())) {
      if (performance.now() > deadline)
        return [...asked.flat(), `the engine is not back within ${withinMs} ms`];
      await sleep(50);
    }
    return asked.flat();
  }

  /** Starts another proxy without containers. Resolves with what is wrong nevertheless. */
  async #startAnew(): Promise<string[]> {
    const installation = this.#installation;
    await installation.stop('SIGKILL');
    for (const { id } of await installation.containers()) await installation.engine.docker('rm', '-f', id);
    await installation.start();
    return this.#recover(RECOVERS_WITHIN_MS);
  }

  /** Waits until nothing is left behind. Resolves with what is. */
  async #settled(kept: ReadonlyMap<string, string>): Promise<string[]> {
    const deadline = performance.now() + SETTLES_WITHIN_MS;
    for (;;) {
      const now = await this.#installation.snapshot();
      const left = findLeftovers(this.#before ?? now, now, kept);
      if (left.length === 0 || performance.now() > deadline) return left;
      await sleep(100);
    }
  }

  /** The last warnings of the proxy, to explain a violation. */
  #complaints(since: number): string[] {
    const lines = this.#installation.logSince(since).split('\n');
    return lines.filter((line) => /^.{0,2}"level":[456]0/.test(line)).slice(-MANY / 2);
  }

  /** What the log should have contained but did not. */
  async #untold({ logs = [] }: Fault, since: number): Promise<string[]> {
    const deadline = performance.now() + SETTLES_WITHIN_MS / 3;
    for (;;) {
      const text = this.#installation.logSince(since);
      const missing = logs.filter((line) => !line.test(text));
      if (missing.length === 0 || performance.now() > deadline)
        return missing.map((line) => `the log says nothing like ${line}`);
      await sleep(100);
    }
  }
}

/** Shortens a long list of violations. */
function shorten(violations: readonly string[]): string[] {
  if (violations.length <= MANY) return [...violations];
  return [...violations.slice(0, MANY), `and ${violations.length - MANY} more`];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
