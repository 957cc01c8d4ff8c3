export { type Host, InvalidHostError, parseHost } from './host.ts';
export {
  type Convention,
  HostTakenError,
  type Route,
  Router,
  type RouterOptions,
  type ServiceHosts,
} from './router.ts';
