/** Maps a hostname to a service. */
export interface Router {
  /** How often its services have changed, so that what was looked up can be kept until then. */
  readonly changes: number;
  /** The service and tag of a host; undefined if there is none. Throws with code `INVALID_HOST` if it is not a host. */
  route(host: string): { readonly service: string; readonly tag?: string } | undefined;
}

/** A router whose services can be changed. */
export interface RouterTable extends Router {
  /** Throws with code `HOST_TAKEN` and the `owner` if a host belongs to another service; then nothing has changed. */
  set(service: string, routes: { readonly hosts: readonly string[]; readonly tags?: Iterable<string> }): void;
  delete(service: string): boolean;
}
