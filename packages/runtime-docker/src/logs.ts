/** Splits what the engine's `GET /containers/{id}/logs` answers (frames of 8 bytes of header and a payload) into lines. */
export function logLines(frames: Buffer): string[] {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= frames.length; ) {
    const length = frames.readUInt32BE(at + 4);
    parts.push(frames.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts)
    .toString('utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '');
}
