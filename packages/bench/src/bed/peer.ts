/** A proxy, or none, that is measured. */
export interface Peer {
  readonly name: string;
  /** The program that must be installed. */
  readonly program: string;
  /** The Debian package that contains it. */
  readonly debianPackage?: string;
  /** The command that listens on `port` and forwards to `upstream`, and its environment. */
  command(
    port: number,
    upstream: number,
    directory: string,
  ): Promise<{ command: readonly string[]; env?: Record<string, string> }>;
}
