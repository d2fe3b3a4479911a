import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sha256, Sha256 } from './sha256.ts';

describe('Sha256', () => {
  it('is what the platform computes, of every length and however the bytes are cut', () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 89) & 255);
    for (let length = 0; length <= 260; length++) {
      const part = bytes.subarray(0, length);
      const expected = createHash('sha256').update(part).digest('hex');
      for (const hash of [new Sha256(), sha256()]) {
        for (let at = 0; at < length; at += 1 + ((at * 7) % 90))
          hash.update(part.subarray(at, at + 1 + ((at * 7) % 90)));
        expect(hash.digest()).toBe(expected);
      }
    }
  });

  it('takes many pieces', () => {
    const piece = new Uint8Array(1 << 20);
    const [ours, theirs] = [new Sha256(), createHash('sha256')];
    for (let i = 0; i < 20; i++) {
      ours.update(piece);
      theirs.update(piece);
    }
    expect(ours.digest()).toBe(theirs.digest('hex'));
  });
});
