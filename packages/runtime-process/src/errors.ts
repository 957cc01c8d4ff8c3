/** What all errors of this runtime have: a stable `code`, and the facts as fields. */
export type RuntimeErrorCode =
  | 'IMAGE_NOT_FOUND'
  | 'START_FAILED'
  | 'INSTANCE_NOT_FOUND'
  | 'INVALID_SERVICES_FILE';

export abstract class RuntimeError extends Error {
  abstract readonly code: RuntimeErrorCode;
}

/** There is no such service in the services file. */
export class ImageNotFoundError extends RuntimeError {
  override readonly name = 'ImageNotFoundError';
  readonly code = 'IMAGE_NOT_FOUND';
  readonly image: string;

  constructor(image: string, file: string) {
    super(`${file} has no service ${image}`);
    this.image = image;
  }
}

/** The command could not be run. */
export class StartFailedError extends RuntimeError {
  override readonly name = 'StartFailedError';
  readonly code = 'START_FAILED';
  readonly image: string;
  readonly reason: string;
  readonly exitCode: number | undefined;
  readonly oomKilled = false;
  readonly lastLogLines: readonly string[];

  constructor(
    image: string,
    reason: string,
    facts: { exitCode?: number; lastLogLines?: readonly string[] } = {},
  ) {
    super(`the process of ${image} did not start: ${reason}`);
    this.image = image;
    this.reason = reason;
    this.exitCode = facts.exitCode;
    this.lastLogLines = facts.lastLogLines ?? [];
  }
}

/** There is no such process, or no longer. */
export class InstanceNotFoundError extends RuntimeError {
  override readonly name = 'InstanceNotFoundError';
  readonly code = 'INSTANCE_NOT_FOUND';
  readonly id: string;

  constructor(id: string) {
    super(`there is no process ${id}`);
    this.id = id;
  }
}

/** The services file cannot be read or is not what it should be. */
export class InvalidServicesFileError extends RuntimeError {
  override readonly name = 'InvalidServicesFileError';
  readonly code = 'INVALID_SERVICES_FILE';

  constructor(file: string, what: string, cause?: unknown) {
    super(
      `${file}: ${what}; allowed is {"NAME": {"command": ["PROGRAM", "ARGUMENT", …], "cwd"?: "…", "env"?: {"K": "V"}}}`,
      {
        cause,
      },
    );
  }
}
