/** Open connections to instances, kept by whoever sends them requests. */
export interface Connections {
  /** Closes the pooled connections to the instance; there are no open requests. */
  close(instanceId: string): Promise<void>;
  /** Breaks off everything that is open to the instance. */
  destroy(instanceId: string, reason: Error): void;
}
