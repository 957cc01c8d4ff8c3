import { codeOf } from '@cless/model';
import type { ForwardError } from './forwarder.ts';

/** Why the instance gave no answer, or an incomplete one. */
export class UpstreamError extends Error implements ForwardError {
  override readonly name = 'UpstreamError';
  readonly code: ForwardError['code'];
  readonly reached: ForwardError['reached'];

  constructor(code: ForwardError['code'], reached: ForwardError['reached'], cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.code = code;
    this.reached = reached;
  }
}

/** Did the other side close or reset the connection? */
export function wasClosed(error: Error): boolean {
  const code = codeOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
}

/** The error for a connection that could not be made. */
export function connectFailed(error: Error): UpstreamError {
  const code = codeOf(error);
  const ours = code === 'EMFILE' || code === 'ENFILE'; // this process or host has no file descriptors left
  return new UpstreamError(ours ? 'NO_FREE_SOCKET' : 'UPSTREAM_DISCONNECTED', 'unsent', error);
}
