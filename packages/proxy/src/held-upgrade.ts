import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FrontContext } from './front.ts';
import { Held } from './held.ts';
import { writeProblem } from './problem.ts';
import { BadRequestError } from './request-head.ts';
import { responseOn } from './upgrades.ts';

/** What a client may send after its upgrade before that is answered. */
const MAX_HELD_BYTES = 64 * 1024;

/** A client's upgrade, from its head to the end of the connection. */
export class HeldUpgrade extends Held {
  readonly #socket: Socket;
  #head: Buffer;

  constructor(context: FrontContext, request: IncomingMessage, socket: Socket, head: Buffer) {
    super(context, request);
    this.#socket = socket;
    this.#head = head;
  }

  /** Lets the upgrade go its way; resolves when the connection has ended, or was refused. */
  async run(): Promise<void> {
    const { forwarder } = this.context;
    const left = new AbortController();
    const leave = () => left.abort(new Error('the client left'));
    this.#socket.once('close', leave);
    const stopReading = this.#readWhileHeld();
    let status = 101;
    let failure: unknown;
    try {
      this.route();
      if (this.head.hasBody) throw new BadRequestError('an upgrade has no body');
      if (/(?:^|,)\s*h2c\s*(?:,|$)/i.test(this.request.headers.upgrade ?? '')) {
        throw new BadRequestError('an upgrade to h2c is not spoken here');
      }
      const lease = await this.lease(left.signal);
      stopReading();
      try {
        left.signal.throwIfAborted();
        const { request, path, headers, answerHeaders } = this;
        await forwarder.upgrade({
          request,
          socket: this.#socket,
          head: this.#head,
          target: lease,
          path,
          headers,
          answerHeaders,
        });
      } finally {
        lease.release();
      }
    } catch (error) {
      failure = error;
      stopReading();
      status = this.#refuse(error);
    } finally {
      this.#socket.off('close', leave);
      this.ended(status, failure);
    }
  }

  // Private

  #refuse(error: unknown): number {
    if (this.#socket.destroyed) return 499;
    const problem = this.problem(error);
    const response = responseOn(this.request, this.#socket);
    writeProblem(this.request, response, problem, {
      service: this.service,
      requestId: this.requestId,
      close: true,
    });
    return problem.status;
  }

  /** Nobody else reads the connection while it is held, and who does not read does not see that the client leaves. */
  #readWhileHeld(): () => void {
    const socket = this.#socket;
    const keep = (chunk: Buffer) => {
      this.#head = Buffer.concat([this.#head, chunk]);
      if (this.#head.length > MAX_HELD_BYTES) socket.pause();
    };
    const end = () => socket.destroy();
    socket.on('data', keep).once('end', end);
    return () => {
      socket.off('data', keep).off('end', end);
      socket.pause();
    };
  }
}
