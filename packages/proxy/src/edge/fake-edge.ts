import type { Forwarder } from '../forward/forwarder.ts';
import { FakeContext } from '../request/fake-context.ts';
import { Http1Edge } from './http1.ts';

/** For tests: an edge that listens, with a forwarder and an instance under the test's control. */
export class FakeEdge extends FakeContext {
  port = 0;
  readonly #edge = new Http1Edge(this);

  static async start(forwarder: Partial<Forwarder>): Promise<FakeEdge> {
    const edge = new FakeEdge(forwarder);
    await edge.listen(0);
    return edge;
  }

  async listen(port: number): Promise<void> {
    ({ port: this.port } = await this.#edge.listen({ host: '127.0.0.1', port }));
  }

  /** @param timeoutMs how long open requests may take */
  close(timeoutMs = 0): Promise<void> {
    return this.#edge.drain(timeoutMs);
  }
}
