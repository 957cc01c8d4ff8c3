export { type Host, parseHost } from './host.ts';
export {
  type Convention,
  type Route,
  Router,
  type RouterOptions,
  type ServiceHosts,
} from './router.ts';
