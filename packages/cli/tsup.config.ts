import base from '../../tsup.base.ts';

// The schemas of the admin API are built in, their types, too: the CLI needs no server's code.
export default {
  ...base,
  dts: {
    compilerOptions: { paths: { '@cless/admin/schemas': ['../admin/dist/schemas.d.ts'] } },
  },
};
