/**
 * The state of an instance. Outside, `pausing` appears as `ready` and `resuming` as `paused`; inside they are
 * separate states because no lease may be given out during the runtime's call.
 */
export type InstanceState = 'starting' | 'ready' | 'pausing' | 'paused' | 'resuming' | 'stopping' | 'gone';

const NEXT: Readonly<Record<InstanceState, readonly InstanceState[]>> = {
  starting: ['ready', 'paused', 'stopping', 'gone'],
  ready: ['pausing', 'paused', 'stopping', 'gone'],
  pausing: ['paused', 'ready', 'stopping', 'gone'],
  paused: ['resuming', 'ready', 'stopping', 'gone'],
  resuming: ['ready', 'paused', 'stopping', 'gone'],
  stopping: ['gone'],
  gone: [],
};

/** May an instance go from one state to the other? */
export function canBecome(from: InstanceState, to: InstanceState): boolean {
  return NEXT[from].includes(to);
}
