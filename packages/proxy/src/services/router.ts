/** Hostname → service. */
export interface Router {
  /** The service that the host stands for, and its tag. Throws an error of code `INVALID_HOST` if it is no host. */
  route(host: string): { readonly service: string; readonly tag?: string } | undefined;
}

/** A router whose services come and go. */
export interface RouterTable extends Router {
  /** Throws an error of code `HOST_TAKEN`, and with the `owner`, if a host is another service's; then nothing has changed. */
  set(service: string, routes: { readonly hosts: readonly string[]; readonly tags?: Iterable<string> }): void;
  delete(service: string): boolean;
}
