/** Proxies have one core; load, upstream and instances the other. */
export const [PROXY_CORE, LOAD_CORE] = ['0', '1'];
