import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FakeClock, RawUpstream } from '@cless/testkit';
import { Http1Edge } from '../edge/http1.ts';
import { UndiciForwarder } from '../forward/undici.ts';
import { FakeContext, LIMITS } from '../request/fake-context.ts';
import type { LaneOptions } from './parts.ts';

/** For tests: a client's connection. */
export class FakeClient {
  readonly socket: Socket;
  text = '';
  closed = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.socket
      .on('data', (bytes) => {
        this.text += bytes.toString('latin1');
      })
      .on('end', () => {
        this.closed = true;
      })
      .on('close', () => {
        this.closed = true;
      })
      .on('error', () => {});
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }
}

/** For tests: an edge with a lane, whose clock is the test's, in front of an instance under the test's control. */
export class FakeLane extends FakeContext {
  override readonly clock = new FakeClock();
  override readonly limits = { ...LIMITS, maxBodyBytes: Number.POSITIVE_INFINITY };
  readonly lane: LaneOptions;
  readonly instance: RawUpstream;
  /** What took the full way to the instance: begun there, or on the lane. */
  readonly forwarded: ('whole' | 'begun')[] = [];
  readonly edge: Http1Edge;
  readonly #clients: FakeClient[] = [];
  #port = 0;

  private constructor(instance: RawUpstream, responseTimeoutMs: number) {
    const undici = new UndiciForwarder({ responseTimeoutMs });
    super({
      forward: (request, settled) => {
        this.forwarded.push(request.sentOn === undefined ? 'whole' : 'begun');
        return undici.forward(request, settled);
      },
      destroy: (...gone) => undici.destroy(...gone),
    });
    this.instance = instance;
    this.endpoint = instance.endpoint;
    this.lane = { responseTimeoutMs };
    this.edge = new Http1Edge(this);
  }

  static async start({ responseTimeoutMs = 5_000 } = {}): Promise<FakeLane> {
    const lane = new FakeLane(await RawUpstream.listen(), responseTimeoutMs);
    lane.#port = (await lane.edge.listen({ host: '127.0.0.1', port: 0 })).port;
    return lane;
  }

  /** Opens a client's connection. */
  async client(): Promise<FakeClient> {
    const client = new FakeClient(this.#port);
    this.#clients.push(client);
    await once(client.socket, 'connect');
    return client;
  }

  async close(): Promise<void> {
    for (const { socket } of this.#clients) socket.destroy();
    const drained = this.edge.drain(0);
    await this.clock.advance(1_000);
    await drained;
    this.edge.destroy('a', new Error('the test is over'));
    this.instance.close();
  }
}

/** A request that the lane takes. */
export function request(line: string, body?: string): string {
  const length = body === undefined ? '' : `Content-Length: ${body.length}\r\n`;
  return `${line} HTTP/1.1\r\nHost: web.test\r\n${length}\r\n${body ?? ''}`;
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
