import base from '../../tsup.base.ts';

export default { ...base, entry: ['src/index.ts', 'src/app.ts', 'src/schemas.ts'] };
