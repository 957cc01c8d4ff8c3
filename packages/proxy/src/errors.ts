/** Errors that the proxy itself raises; each has a stable `code`. How they are answered is told in `problem.ts`. */
export abstract class ProxyError extends Error {
  abstract readonly code: string;
}

/** No such service, and no image by convention. */
export class ServiceNotFoundError extends ProxyError {
  override readonly name = 'ServiceNotFoundError';
  readonly code = 'SERVICE_NOT_FOUND';

  constructor(host: string) {
    super(`no service answers to ${host}`);
  }
}

/** The service is there, but gives no revision anything. */
export class NoTrafficError extends ProxyError {
  override readonly name = 'NoTrafficError';
  readonly code = 'SERVICE_NOT_FOUND';

  constructor(service: string) {
    super(`no revision of ${service} gets traffic yet`);
  }
}

/** The request asks for a revision that there is not. */
export class RevisionNotFoundError extends ProxyError {
  override readonly name = 'RevisionNotFoundError';
  readonly code = 'REVISION_NOT_FOUND';

  constructor(service: string, revision: string) {
    super(`${service} has no revision ${JSON.stringify(revision.slice(0, 100))} that can be asked for`);
  }
}

/** In the middle of a request's body nothing came, or nothing was taken. */
export class SilenceError extends ProxyError {
  override readonly name = 'SilenceError';
  readonly code: 'REQUEST_TIMEOUT' | 'UPSTREAM_TIMEOUT';

  constructor(code: SilenceError['code'], silentMs: number) {
    super(`no byte of the body came for ${silentMs / 1000} s`);
    this.code = code;
  }
}
