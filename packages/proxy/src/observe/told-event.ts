import type { ActivatorEvent, RuntimeStatus } from '@cless/activator';
import type { Revision } from '@cless/model';

/** An event with what the proxy adds: at a start, the parts of the hardening that the revision turns off. */
export type ToldEvent = (ActivatorEvent & { readonly relaxations?: readonly string[] }) | RuntimeStatus;

/** An event of the activator in its published form. */
export function told(event: ActivatorEvent | RuntimeStatus, revision: Revision | undefined): ToldEvent {
  if (event.type !== 'starting' || revision === undefined) return event;
  const { hardening, relaxations = [] } = revision.spec;
  const given = hardening === 'off' ? ['off', ...relaxations] : relaxations;
  return given.length === 0 ? event : { ...event, relaxations: given };
}
