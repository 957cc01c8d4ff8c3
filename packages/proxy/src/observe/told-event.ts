import type { ActivatorEvent, RuntimeStatus } from '@cless/activator';
import type { Revision } from '@cless/model';

/** What happens, with what the proxy adds to it: the parts of the hardening that a revision gives up, when it starts. */
export type ToldEvent = (ActivatorEvent & { readonly relaxations?: readonly string[] }) | RuntimeStatus;

/** An event of the activator in its published form. */
export function told(event: ActivatorEvent | RuntimeStatus, revision: Revision | undefined): ToldEvent {
  if (event.type !== 'starting' || revision === undefined) return event;
  const { hardening, relaxations = [] } = revision.spec;
  const given = hardening === 'off' ? ['off', ...relaxations] : relaxations;
  return given.length === 0 ? event : { ...event, relaxations: given };
}
