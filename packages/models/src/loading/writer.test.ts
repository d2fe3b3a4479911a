import { reference } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import { Writer } from './writer.ts';

describe('Writer', () => {
  it('writes the same bytes however they are cut and in whatever order they come', async () => {
    let seed = 7;
    const random = (n: number): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % n;
    for (let round = 0; round < 200; round++) {
      const data = Uint8Array.from({ length: 4 * (1 + random(20)) - random(4) }, () => 1 + random(255));
      const pieces: [start: number, end: number][] = [];
      for (let at = 0; at < data.length;) {
        const end = Math.min(data.length, at + 1 + random(11));
        pieces.push([at, end]);
        at = end;
      }
      pieces.sort(() => random(3) - 1);
      const backend = reference();
      const buffer = backend.alloc(Math.ceil(data.length / 4) * 4);
      const checked = {
        ...backend,
        write: (...[to, part, at = 0]: Parameters<typeof backend.write>) => {
          expect([at % 4, part.byteLength % 4]).toEqual([0, 0]);
          backend.write(to, part, at);
        },
      };
      const writer = new Writer(checked);
      for (const [start, end] of pieces) writer.write(buffer, data.slice(start, end), start);
      writer.end();
      expect((await backend.read(buffer)).subarray(0, data.length)).toEqual(data);
    }
  });
});
