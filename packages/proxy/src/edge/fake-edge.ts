import type { Forwarder } from '../forward/forwarder.ts';
import { FakeContext } from '../request/fake-context.ts';
import { Http1Edge } from './http1.ts';

/** For tests: an edge that listens, with a forwarder and an instance that do as they are told. */
export class FakeEdge extends FakeContext {
  port = 0;
  readonly #edge = new Http1Edge(this);

  static async start(forwarder: Partial<Forwarder>): Promise<FakeEdge> {
    const edge = new FakeEdge(forwarder);
    ({ port: edge.port } = await edge.#edge.listen({ host: '127.0.0.1', port: 0 }));
    return edge;
  }

  /** @param timeoutMs for what is under way */
  close(timeoutMs = 0): Promise<void> {
    return this.#edge.drain(timeoutMs);
  }
}
