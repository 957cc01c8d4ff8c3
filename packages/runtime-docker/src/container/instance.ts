import type { ContainerInfo, ContainerInspectInfo } from 'dockerode';
import { LABELS } from '../labels.ts';

/** Where an instance answers. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A container as the engine has it. */
export interface Instance {
  /** The container's id. */
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  /** The hash of the spec that it was started from; see {@link DockerRuntime.specHash}. */
  readonly spec: string;
  /** `created`: it is there, and was not started (yet). */
  readonly state: 'created' | 'running' | 'paused' | 'exited';
  /** Where it answers; nothing when it does not run. */
  readonly endpoint: Endpoint | undefined;
  /** How it ended, if it has exited. */
  readonly exit: { readonly exitCode: number; readonly oomKilled: boolean } | undefined;
}

/** Of an inspection; nothing if the answer is not of the Docker Engine API. */
export function fromInspection(info: ContainerInspectInfo): Instance | undefined {
  const labels = info?.Config?.Labels;
  const status = info?.State;
  if (labels === undefined || status === undefined) return undefined;
  const port = Object.values(info.NetworkSettings?.Ports ?? {}).flatMap((bindings) => bindings ?? [])[0]
    ?.HostPort;
  const state = status.Paused ? 'paused' : status.Running ? 'running' : stateOf(status.Status);
  return {
    ...identity(info.Id, labels),
    state,
    endpoint: endpoint(state, port === undefined ? undefined : Number(port)),
    exit:
      state === 'exited'
        ? { exitCode: status.ExitCode, oomKilled: endedByOom(status.ExitCode, status.OOMKilled) }
        : undefined,
  };
}

/** Of a list, which does not tell how a container ended. */
export function fromListing(container: ContainerInfo): Instance {
  const port = container.Ports?.find(({ PublicPort, Type }) => PublicPort && Type === 'tcp')?.PublicPort;
  const state = stateOf(container.State);
  return {
    ...identity(container.Id, container.Labels),
    state,
    endpoint: endpoint(state, port),
    exit: undefined,
  };
}

/** "it exited with code 3", "it was killed: out of memory". */
export function describeExit(exitCode: number, oomKilled: boolean): string {
  return oomKilled ? 'it was killed: out of memory' : `it exited with code ${exitCode}`;
}

/** The engine tells of whichever process ran out of memory: a container that ends well later did not end of that. */
export function endedByOom(exitCode: number, oomKilled: boolean): boolean {
  return oomKilled && exitCode !== 0;
}

// Private

/** The engine's `created`, `running`, `paused`, `restarting`, `removing`, `exited` and `dead`. */
function stateOf(status: string): Instance['state'] {
  return status === 'created' || status === 'running' || status === 'paused' ? status : 'exited';
}

function endpoint(state: Instance['state'], port: number | undefined): Endpoint | undefined {
  return (state === 'running' || state === 'paused') && port !== undefined
    ? { host: '127.0.0.1', port }
    : undefined;
}

function identity(id: string, labels: Readonly<Record<string, string>>) {
  return {
    id,
    service: labels[LABELS.service] ?? '',
    revision: labels[LABELS.revision] ?? '',
    spec: labels[LABELS.spec] ?? '',
  };
}
