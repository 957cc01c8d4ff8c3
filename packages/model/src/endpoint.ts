/** Where an instance answers. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}
