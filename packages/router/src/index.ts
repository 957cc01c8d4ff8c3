export { type Host, parseHost } from './host.ts';
export {
  type Route,
  Router,
  type RouterOptions,
  type ServiceHosts,
} from './router.ts';
