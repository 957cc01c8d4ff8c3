import type { AddressInfo } from 'node:net';
import type { Reading } from '../observe/meters.ts';

/** An address to listen on. */
export interface Where {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
}

/** Where requests arrive: a front in this process, or workers that have one each. */
export interface Entrance {
  /** @throws the system's error, with its `code`, if it cannot listen there */
  listen(where: Where): Promise<AddressInfo>;
  /** What has been counted. */
  read(): Promise<Reading>;
  /** Accepts nothing new and waits for what is open, at most so long; then that is broken off, upgrades first. */
  drain(timeoutMs: number): Promise<void>;
}
