import { describe, expect, it } from 'vitest';
import { HEADS, heads, wrkScript } from './heads.ts';

describe.each([36, 740] as const)('heads of %i bytes', (bytes) => {
  it('have that length', () => {
    expect(new Set(heads(bytes).map((head) => Buffer.byteLength(head)))).toEqual(new Set([bytes]));
  });

  it('are all different', () => {
    expect(new Set(heads(bytes)).size).toBe(heads(bytes).length);
  });

  it('are what wrk’s script sends', () => {
    // Lua reads these escapes as JSON does.
    expect(wrkScript(bytes)).toContain(JSON.stringify(HEADS[bytes]));
    expect(wrkScript(bytes)).toContain('"GET /%03x HTTP/1.1\\r\\n"');
  });
});
