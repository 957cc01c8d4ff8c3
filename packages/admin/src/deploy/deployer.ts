import {
  Failure,
  hasCode,
  messageOf,
  type RevisionSpec,
  type StoredRevision,
  type Traffic,
  toSpec,
} from '@cless/model';
import { notFound } from '../http/problem.ts';
import type { Platform, Store } from '../platform.ts';
import { knownService } from '../routes/known-service.ts';
import type { Change, RevisionInput } from '../schemas.ts';
import { changesBetween } from '../wire.ts';
import { checkRollout } from './rollout.ts';
import { write } from './write.ts';

export interface DeployOptions {
  /** The percentage of traffic the revision gets once it is ready; zero means none. */
  readonly traffic: number;
  readonly tag: string | undefined;
  /** Pull the image first? */
  readonly pull: boolean;
  /** Reuse the latest revision if it is equal and ready? Then that gets the traffic. */
  readonly ifChanged: boolean;
  /** Aborted when the client is gone. Only a pull is then given up; see {@link Deployer.deploy}. */
  readonly signal: AbortSignal;
}

/** How problems call a revision that has no name yet. */
const THIS_REVISION = 'this revision';

export type Progress = (step: { readonly step: string; readonly message: string }) => void;

/** How long a pull may take, in milliseconds. */
const PULL_TIMEOUT_MS = 600_000;
/** How long a pull may make no progress, in milliseconds: a silent registry holds up the deploys queued behind it. */
const PULL_SILENCE_MS = 60_000;

/**
 * Creates revisions and gives them traffic once they are ready. Deploys of one service run one after the other, so
 * that the one asked for last is the one that serves.
 */
export class Deployer {
  readonly #store: Store;
  readonly #platform: Platform;
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #deploying = new Set<string>();
  readonly #closing: AbortSignal;

  /** @param closing aborted when no more deploys may begin; its reason is what they fail with */
  constructor(store: Store, platform: Platform, closing: AbortSignal) {
    this.#store = store;
    this.#platform = platform;
    this.#closing = closing;
  }

  /** Is the revision being deployed just now? */
  isDeploying(revision: string): boolean {
    return this.#deploying.has(revision);
  }

  /** Says what a deploy would change. */
  async preview(
    service: string,
    input: RevisionInput,
    options: Pick<DeployOptions, 'traffic' | 'tag' | 'ifChanged'>,
  ): Promise<Change[]> {
    const spec = toSpec(input, await this.#image(input));
    await this.#refuse(service, spec, options);
    const latest = this.#latest(service);
    const changes = changesBetween(latest, { spec, secrets: input.secrets ?? {} });
    if (!options.ifChanged || latest === undefined || changes.length > 0) return changes;
    const { name, state } = latest.revision;
    // A revision that is not ready is tried again.
    if (state.phase !== 'ready') return [{ field: `state of ${name}`, from: state.phase, to: 'ready' }];
    if (this.#serves(service, name, options)) return [];
    const from = this.#percentOf(service, name);
    return [{ field: `traffic of ${name}`, from: `${from} %`, to: `${options.traffic} %` }];
  }

  /**
   * Deploys. Goes on to the end even if the client is gone; only a pull is then given up.
   *
   * @throws with code `DEPLOY_FAILED`, the reason and the last log lines, if the revision does not get ready
   */
  deploy(
    service: string,
    input: RevisionInput,
    options: DeployOptions,
    onProgress: Progress,
  ): Promise<{ revision: StoredRevision; created: boolean }> {
    const before = this.#queues.get(service) ?? Promise.resolve();
    const deploy = before.catch(() => {}).then(() => this.#deploy(service, input, options, onProgress));
    const done = deploy
      .catch(() => {})
      .finally(() => {
        if (this.#queues.get(service) === done) this.#queues.delete(service);
      });
    this.#queues.set(service, done);
    return deploy;
  }

  // Private

  async #deploy(service: string, input: RevisionInput, options: DeployOptions, onProgress: Progress) {
    knownService(this.#store, service);
    this.#closing.throwIfAborted();
    if (options.pull) await this.#pull(input.image, options.signal, onProgress);
    const image = await this.#image(input);
    const spec = toSpec(input, image);
    const secrets = input.secrets ?? {};
    await this.#refuse(service, spec, options);

    const latest = this.#latest(service);
    if (
      options.ifChanged &&
      latest?.revision.state.phase === 'ready' &&
      changesBetween(latest, { spec, secrets }).length === 0
    ) {
      const { revision } = latest;
      if (this.#serves(service, revision.name, options)) {
        onProgress({ step: 'unchanged', message: `${revision.name} is the same already` });
        return { revision, created: false };
      }
      await this.#giveTraffic(service, revision.name, options);
      await this.#platform.applied();
      this.#told(service, revision.name, onProgress);
      return { revision, created: false };
    }

    const { name } = await write(() => this.#store.addRevision(service, spec, secrets));
    this.#deploying.add(name);
    onProgress({ step: 'created', message: `revision ${name}` });
    const stopListening = this.#platform.subscribe((event) => {
      if (event.service === service && event.revision === name) report(event, onProgress);
    });
    try {
      const instance = await this.#platform.prove(service, name);
      try {
        // The lease is held until the revision has its traffic; otherwise the instance would be stopped as unused.
        await write(() => this.#store.settle(service, name, { phase: 'ready' }));
        await this.#giveTraffic(service, name, options);
        await this.#platform.applied();
      } finally {
        instance.release();
      }
    } catch (error) {
      if (this.#store.revision(service, name)?.state.phase !== 'pending') throw error;
      throw await this.#failed(service, name, error);
    } finally {
      stopListening();
      this.#deploying.delete(name);
    }
    this.#told(service, name, onProgress);
    const revision = this.#store.revision(service, name);
    if (revision === undefined) throw notFound('revision', name); // removed in between
    return { revision, created: true };
  }

  /** Refuses what cannot be deployed, before anything is created. @throws with code `NOT_ALLOWED` or `ROLLOUT_REPLACES` */
  async #refuse(
    service: string,
    spec: RevisionSpec,
    options: Pick<DeployOptions, 'traffic' | 'tag'>,
  ): Promise<void> {
    const refusals = await this.#platform.refusals(spec);
    if (refusals.length > 0) {
      const errors = refusals.map(({ field, reason }) => ({ pointer: `#/${field}`, detail: reason }));
      const detail = errors.map((error) => error.detail).join('; ');
      throw new Failure('NOT_ALLOWED', detail, { errors });
    }
    this.#trafficWith(service, THIS_REVISION, options, spec);
  }

  /**
   * The traffic after a deploy of the revision; undefined if the deploy does not change it.
   *
   * @throws with code `ROLLOUT_REPLACES`, if it may not serve beside the others
   */
  #trafficWith(
    service: string,
    revision: string,
    { traffic, tag }: Pick<DeployOptions, 'traffic' | 'tag'>,
    spec: RevisionSpec | undefined,
  ): Traffic | undefined {
    const before = this.#store.service(service)?.traffic;
    if (before === undefined || (traffic === 0 && tag === undefined)) return undefined;
    const after = {
      splits: share(before, revision, traffic),
      tags: tag === undefined ? before.tags : { ...before.tags, [tag]: revision },
    };
    checkRollout(after, (name) => {
      const { rollout } = (name === revision ? spec : this.#store.revision(service, name)?.spec) ?? {};
      return rollout;
    });
    return after;
  }

  /** Reports the traffic and tag a revision gets. */
  #told(service: string, name: string, onProgress: Progress): void {
    const traffic = this.#percentOf(service, name);
    this.#platform.publish({ type: 'deployed', service, revision: name, traffic });
    onProgress({
      step: 'deployed',
      message: traffic > 0 ? `${name} gets ${traffic} %` : `${name} gets no traffic yet`,
    });
  }

  /** Does the revision already have the traffic and tag that the deploy would give it? */
  #serves(service: string, name: string, { traffic, tag }: Pick<DeployOptions, 'traffic' | 'tag'>): boolean {
    const tags = this.#store.service(service)?.traffic.tags ?? {};
    return (
      (traffic === 0 || this.#percentOf(service, name) === traffic) &&
      (tag === undefined || tags[tag] === name)
    );
  }

  #percentOf(service: string, name: string): number {
    const splits = this.#store.service(service)?.traffic.splits ?? [];
    return splits.find(({ revision }) => revision === name)?.percent ?? 0;
  }

  async #pull(image: string, left: AbortSignal, onProgress: Progress): Promise<void> {
    const { pull } = this.#platform;
    if (pull === undefined)
      throw new Failure('NOT_ALLOWED', `The ${this.#platform.runtime} runtime pulls no images.`);
    onProgress({ step: 'pulling', message: image });
    const late = new AbortController();
    const fail = (why: string) => late.abort(new Failure('PULL_FAILED', why));
    const whole = setTimeout(
      () => fail(`${image} was not pulled within ${PULL_TIMEOUT_MS / 60_000} minutes.`),
      PULL_TIMEOUT_MS,
    );
    const silence = setTimeout(
      () => fail(`The registry of ${image} has said nothing for ${PULL_SILENCE_MS / 1_000} seconds.`),
      PULL_SILENCE_MS,
    );
    const signal = AbortSignal.any([left, this.#closing, late.signal]);
    try {
      await pull(image, {
        signal,
        onProgress: (message) => {
          silence.refresh();
          onProgress({ step: 'pulling', message });
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(whole);
      clearTimeout(silence);
    }
  }

  async #image({ image }: RevisionInput) {
    const found = await this.#platform.image(image);
    if (found !== undefined) return found;
    const detail = `image ${image} is not on this host; build it, or deploy with a pull`;
    throw new Failure('IMAGE_NOT_FOUND', detail, {
      errors: [{ pointer: '#/image', detail }],
    });
  }

  #latest(service: string) {
    const [revision] =
      this.#store.service(service) === undefined ? [] : this.#store.revisions(service, { limit: 1 });
    if (revision === undefined) return undefined;
    return { revision, spec: revision.spec, secrets: this.#store.secrets(service, revision.name) };
  }

  async #giveTraffic(service: string, revision: string, options: DeployOptions): Promise<void> {
    await write(() => {
      const spec = this.#store.revision(service, revision)?.spec;
      const traffic = this.#trafficWith(service, revision, options, spec);
      if (traffic !== undefined) this.#store.setTraffic(service, traffic);
    });
  }

  async #failed(service: string, revision: string, error: unknown): Promise<unknown> {
    const message = messageOf(error);
    const lastLogLines = lastLogLinesOf(error);
    await write(() =>
      this.#store.settle(service, revision, { phase: 'failed', reason: message, lastLogLines }),
    );
    this.#platform.publish({ type: 'deploy-failed', service, revision, message });
    if (hasCode(error, 'SHUTTING_DOWN')) return error;
    const detail = `${revision} did not get ready, so it gets no traffic: ${message}`;
    return new Failure('DEPLOY_FAILED', detail, { revision, lastLogLines });
  }
}

/** The last lines the instance wrote, if the platform adds them to the error. */
function lastLogLinesOf(error: unknown): string[] {
  const lines = error instanceof Error && 'lastLogLines' in error ? error.lastLogLines : undefined;
  return Array.isArray(lines) ? lines.map(String) : [];
}

/** Gives the revision that percentage; the others keep their proportions within the rest. */
export function share({ splits }: Traffic, revision: string, percent: number): Traffic['splits'] {
  if (percent === 0) return splits;
  const others = splits.filter((split) => split.revision !== revision);
  if (percent === 100 || others.length === 0) return [{ revision, percent: 100 }];
  const rest = 100 - percent;
  const whole = others.reduce((sum, split) => sum + split.percent, 0);
  const exact = others.map((split) => ({
    revision: split.revision,
    percent: (split.percent * rest) / whole,
  }));
  const shared = exact.map((split) => ({ ...split, percent: Math.floor(split.percent) }));
  let missing = rest - shared.reduce((sum, split) => sum + split.percent, 0);
  // The percents lost by rounding go to those that lost most.
  const byLoss = exact
    .map((split, i) => ({ i, loss: split.percent - Math.floor(split.percent) }))
    .sort((a, b) => b.loss - a.loss);
  for (const { i } of byLoss) {
    const split = shared[i];
    if (missing === 0 || split === undefined) break;
    shared[i] = { ...split, percent: split.percent + 1 };
    missing -= 1;
  }
  return [{ revision, percent }, ...shared.filter((split) => split.percent > 0)];
}

function report(
  event: { readonly type: string; readonly [fact: string]: unknown },
  onProgress: Progress,
): void {
  switch (event.type) {
    case 'starting':
    case 'created':
    case 'started':
    case 'ready': {
      const after = typeof event.durationMs === 'number' ? ` after ${Math.round(event.durationMs)} ms` : '';
      const what = {
        starting: 'starting a container',
        created: 'container created',
        started: 'container started',
        ready: 'ready',
      };
      onProgress({
        step: event.type === 'created' ? 'container-created' : event.type,
        message: what[event.type] + after,
      });
    }
  }
}
