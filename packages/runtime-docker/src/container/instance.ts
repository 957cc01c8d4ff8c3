import type { Endpoint, InspectedInstance, RuntimeInstance } from '@cless/model';
import type { ContainerInfo, ContainerInspectInfo } from 'dockerode';
import { exitOf } from '../engine/exit.ts';
import { LABELS } from '../labels.ts';

/** Converts the answer of an inspection; undefined if it is not of the Docker Engine API. */
export function fromInspection(info: ContainerInspectInfo): InspectedInstance | undefined {
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
    exit: state === 'exited' ? exitOf(status.ExitCode, status.OOMKilled) : undefined,
  };
}

/** Converts an entry of a list, which does not say how a container ended. */
export function fromListing(container: ContainerInfo): RuntimeInstance {
  const port = container.Ports?.find(({ PublicPort, Type }) => PublicPort && Type === 'tcp')?.PublicPort;
  const state = stateOf(container.State);
  return { ...identity(container.Id, container.Labels), state, endpoint: endpoint(state, port) };
}

// Private

/** Maps the engine's `created`, `running`, `paused`, `restarting`, `removing`, `exited` and `dead`. */
function stateOf(status: string): RuntimeInstance['state'] {
  return status === 'created' || status === 'running' || status === 'paused' ? status : 'exited';
}

function endpoint(state: RuntimeInstance['state'], port: number | undefined): Endpoint | undefined {
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
