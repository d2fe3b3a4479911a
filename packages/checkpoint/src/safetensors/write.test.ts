import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../checkpoint.ts';
import { blobs } from '../files/blobs.ts';
import { safetensorsPieces, writeSafetensors } from './write.ts';

describe('writeSafetensors', () => {
  it('writes what openCheckpoint reads back, aligned', async () => {
    const bytes = writeSafetensors(
      {
        'ä "quoted"': { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
        wide: { dtype: 'F64', shape: [1, 2], data: Float64Array.of(0.5, -1) },
        x: { dtype: 'F32', shape: [], data: Float32Array.of(9) },
        none: { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
      },
      { metadata: { format: 'pt' } },
    );
    const checkpoint = await openCheckpoint(blobs({ 'out.safetensors': new Blob([bytes]) }), {
      file: 'out.safetensors',
    });
    expect(checkpoint.metadata).toEqual({ format: 'pt' });
    expect([...(await checkpoint.read('ä "quoted"', { as: 'u8', shape: [3] }))]).toEqual([1, 2, 3]);
    expect([...(await checkpoint.read('wide', { as: 'f32', shape: [1, 2] }))]).toEqual([0.5, -1]);
    expect([...(await checkpoint.read('x', { as: 'f32', shape: [] }))]).toEqual([9]);
    expect([...(await checkpoint.read('none', { as: 'f32', shape: [0, 4] }))]).toEqual([]);
    for (const { dtype, start } of checkpoint.tensors.values())
      expect(start % { F64: 8, F32: 4, U8: 1 }[dtype as 'U8']).toBe(0);
  });

  it('gives the bytes of views, not of their buffers', () => {
    const all = Float32Array.of(1, 2, 3, 4);
    const [, data] = [...safetensorsPieces({ x: { dtype: 'F32', shape: [2], data: all.subarray(1, 3) } })];
    expect([...new Float32Array(data!.slice().buffer)]).toEqual([2, 3]);
  });

  it('refuses data of another size', () => {
    const write = (): unknown => writeSafetensors({ x: { dtype: 'F16', shape: [3], data: new Uint16Array(2) } });
    expect(write).toThrow('writeSafetensors: tensor "x": F16 [3] needs 6 bytes, data has 4');
  });
});
