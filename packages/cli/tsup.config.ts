import base from '../../tsup.base.ts';

// The schemas of the admin API are built in: the CLI needs no server's code.
export default { ...base, dts: { resolve: [/^@cless\//] } };
