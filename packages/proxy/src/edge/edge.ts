import type { AddressInfo } from 'node:net';
import type { Snapshot } from '../observe/meters.ts';

/** An address to listen on. */
export interface Address {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
}

/** Where requests arrive: an edge in this process, or workers that have one each. */
export interface Edge {
  /** @throws the system's error, with its `code`, if it cannot listen there */
  listen(where: Address): Promise<AddressInfo>;
  /** What has been counted. */
  read(): Promise<Snapshot>;
  /** Accepts nothing new and waits for what is open, at most so long; then that is broken off, upgrades first. */
  drain(timeoutMs: number): Promise<void>;
}
