/** What all errors of this runtime have: a stable `code`, and the facts as fields. */
export type RuntimeErrorCode =
  | 'ENGINE_UNREACHABLE'
  | 'ENGINE_ADDRESS'
  | 'IMAGE_NOT_FOUND'
  | 'NO_FREE_PORT'
  | 'START_FAILED'
  | 'INSTANCE_NOT_FOUND'
  | 'PULL_FAILED'
  | 'NETWORK_NOT_FOUND'
  | 'NO_ADDRESS_POOL'
  | 'ENGINE_REFUSED'
  | 'OWNER_TAKEN';

export abstract class RuntimeError extends Error {
  abstract readonly code: RuntimeErrorCode;
}

/** The engine does not answer, not in time, or with something that is not Docker's. */
export class EngineUnreachableError extends RuntimeError {
  override readonly name = 'EngineUnreachableError';
  readonly code = 'ENGINE_UNREACHABLE';

  constructor(address: string, operation: string, reason: string, cause?: unknown) {
    super(`the Docker Engine at ${address} cannot be reached (${operation}: ${reason}); is it running?`, {
      cause,
    });
  }
}

/** There is no engine at such an address that could be used. */
export class EngineAddressError extends RuntimeError {
  override readonly name = 'EngineAddressError';
  readonly code = 'ENGINE_ADDRESS';
}

/** The image is not on the host; images are never pulled. */
export class ImageNotFoundError extends RuntimeError {
  override readonly name = 'ImageNotFoundError';
  readonly code = 'IMAGE_NOT_FOUND';
  readonly image: string;

  constructor(image: string) {
    super(`image ${image} is not on this host; build or pull it first`);
    this.image = image;
  }
}

/** Every port of the range is in use, or the host cannot say. */
export class NoFreePortError extends RuntimeError {
  override readonly name = 'NoFreePortError';
  readonly code = 'NO_FREE_PORT';
  readonly from: number;
  readonly to: number;

  constructor(from: number, to: number, cause?: unknown) {
    super(
      cause === undefined
        ? `no port from ${from} to ${to} is free; widen the range or stop what uses it`
        : `no port from ${from} to ${to} can be looked for: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
    this.from = from;
    this.to = to;
  }
}

/** A network that the container is to join is not there, or not to be joined. */
export class NetworkNotFoundError extends RuntimeError {
  override readonly name = 'NetworkNotFoundError';
  readonly code = 'NETWORK_NOT_FOUND';
  readonly network: string;

  constructor(
    network: string,
    message = `network ${network} is not there; make it with: docker network create ${network}`,
  ) {
    super(message);
    this.network = network;
  }
}

/** The engine has no addresses for one more network. */
export class NoAddressPoolError extends RuntimeError {
  override readonly name = 'NoAddressPoolError';
  readonly code = 'NO_ADDRESS_POOL';

  constructor(network: string, cause: unknown) {
    super(
      `the engine has no address pool left for the network ${network}; remove networks that nobody needs ` +
        '(docker network prune), or give the engine more: default-address-pools in its daemon.json',
      { cause },
    );
  }
}

/** The engine would not start the container, or it exited before it could be used. */
export class StartFailedError extends RuntimeError {
  override readonly name = 'StartFailedError';
  readonly code = 'START_FAILED';
  readonly image: string;
  readonly reason: string;
  readonly exitCode: number | undefined;
  readonly oomKilled: boolean;
  /** What the container wrote last, oldest first. */
  readonly lastLogLines: readonly string[];

  constructor(
    image: string,
    reason: string,
    facts: { exitCode?: number; oomKilled?: boolean; lastLogLines?: readonly string[]; cause?: unknown } = {},
  ) {
    super(`a container of ${image} did not start: ${reason}`, { cause: facts.cause });
    this.image = image;
    this.reason = reason;
    this.exitCode = facts.exitCode;
    this.oomKilled = facts.oomKilled ?? false;
    this.lastLogLines = facts.lastLogLines ?? [];
  }
}

/** The image could not be pulled. */
export class PullFailedError extends RuntimeError {
  override readonly name = 'PullFailedError';
  readonly code = 'PULL_FAILED';
  readonly image: string;

  constructor(image: string, reason: string, cause?: unknown) {
    super(`image ${image} could not be pulled: ${reason}`, { cause });
    this.image = image;
  }
}

/** There is no such container (any more). */
export class InstanceNotFoundError extends RuntimeError {
  override readonly name = 'InstanceNotFoundError';
  readonly code = 'INSTANCE_NOT_FOUND';
  readonly id: string;

  constructor(id: string) {
    super(`there is no container ${id.slice(0, 12)}`);
    this.id = id;
  }
}

/** The owner is bound to another state directory, whose proxy acts for it. */
export class OwnerTakenError extends RuntimeError {
  override readonly name = 'OwnerTakenError';
  readonly code = 'OWNER_TAKEN';
  readonly owner: string;
  /** The other state directory; nothing if it is not known where it is. */
  readonly directory: string | undefined;

  constructor(owner: string, directory: string | undefined) {
    super(
      `the owner ${owner} is bound to another state directory${directory === undefined ? '' : `, ${directory}`}`,
    );
    this.owner = owner;
    this.directory = directory;
  }
}

/** The engine answered with an error that none of the others stands for. */
export class EngineRefusedError extends RuntimeError {
  override readonly name = 'EngineRefusedError';
  readonly code = 'ENGINE_REFUSED';
  readonly status: number;

  constructor(operation: string, status: number, message: string, cause?: unknown) {
    super(`${operation}: the Docker Engine answered ${status}: ${message}`, { cause });
    this.status = status;
  }
}

/** Did the engine answer with this status? */
export function isRefusal(error: unknown, status: number): boolean {
  return error instanceof EngineRefusedError && error.status === status;
}
