import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** An answer that is written to a client. */
export class EdgeResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /** The head as it was sent. */
  declare readonly _header: string | null;

  /** May nothing move for hours in the middle of it? */
  get isEventStream(): boolean {
    return /^content-type:\s*text\/event-stream/im.test(this._header ?? '');
  }
}

/**
 * An answer on a connection that Node's HTTP server has given away, which has none outstanding: the last one, since
 * nobody reads requests there any more.
 */
export function lastResponseOn(socket: Socket, request: IncomingMessage): EdgeResponse {
  const response = new EdgeResponse(request);
  const drained = () => response.emit('drain');
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  socket.on('drain', drained);
  response.once('finish', () => {
    socket.off('drain', drained);
    response.detachSocket(socket);
    response.emit('close');
    socket.destroySoon();
  });
  return response;
}
