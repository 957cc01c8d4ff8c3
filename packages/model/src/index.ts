export { type Clock, systemClock, type Timer } from './clock.ts';
export { codeOf, messageOf, reasonOf } from './failure.ts';
