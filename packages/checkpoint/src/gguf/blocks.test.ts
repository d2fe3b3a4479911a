import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { convert } from '../convert.ts';
import { blockOf, type StoredDType } from '../stored.ts';

interface Golden {
  readonly input: readonly number[];
  readonly types: Record<StoredDType, { readonly blob_hex: string; readonly dequant: readonly (number | null)[] }>;
  readonly block: Record<StoredDType, [elements: number, bytes: number]>;
}

const golden = JSON.parse(
  readFileSync(new URL('../../../../fixtures/gguf/quant-golden.json', import.meta.url), 'utf8'),
) as Golden;

describe('blocks', () => {
  it.each(Object.keys(golden.types) as StoredDType[])('%s is exactly what gguf-py makes of it', (dtype) => {
    const { blob_hex: hex, dequant } = golden.types[dtype];
    const block = blockOf(dtype);
    expect([block.elements, block.bytes]).toEqual(golden.block[dtype]);
    const values = convert(new Uint8Array(Buffer.from(hex, 'hex')), dtype, 'f32');
    expect(values.length).toBe(dequant.length);
    const wrong = dequant.findIndex(
      (value, i) => value !== values[i] && !(value === null && !Number.isFinite(values[i])),
    );
    expect({ wrong, value: values[wrong] }).toEqual({ wrong: -1, value: undefined });
  });

  it('narrows to f16 where that is asked for', () => {
    const { blob_hex: hex } = golden.types.Q8_0;
    const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
    const wide = convert(bytes, 'Q8_0', 'f32');
    const half = new Float16Array(convert(bytes, 'Q8_0', 'f16').buffer);
    expect([...half]).toEqual([...new Float16Array(wide)]);
  });

  it.each([
    ['q8', 'Q8_0'],
    ['q4', 'Q4_0'],
    ['bf16', 'BF16'],
    ['f16', 'F16'],
  ] as const)('stores f32 as %s with the very bytes of gguf-py', (as, dtype) => {
    const values = convert(new Uint8Array(Float32Array.from(golden.input).buffer), 'F32', as);
    expect(Buffer.from(values.buffer).toString('hex')).toBe(golden.types[dtype].blob_hex);
  });

  it.each(['Q8_0', 'Q4_0', 'F16', 'BF16'] as const)('keeps %s as it is where that is asked for', (dtype) => {
    const as = ({ Q8_0: 'q8', Q4_0: 'q4', F16: 'f16', BF16: 'bf16' } as const)[dtype];
    const bytes = new Uint8Array(Buffer.from(golden.types[dtype].blob_hex, 'hex'));
    const kept = convert(bytes, dtype, as);
    expect(new Uint8Array(kept.buffer)).toEqual(bytes);
    expect(kept.buffer).not.toBe(bytes.buffer);
  });

  it.each(['q8', 'q4', 'f16', 'bf16'] as const)('refuses values that %s has no scale for', (as) => {
    const values = new Float32Array(64).fill(1);
    values[40] = 3.4e38;
    const store = () => convert(new Uint8Array(values.buffer), 'F32', as);
    expect(store).toThrow(`element 40 is ${values[40]}, which ${as} cannot hold`);
    if (as === 'f16' || as === 'bf16') return;
    values[40] = NaN;
    expect(store).toThrow(/element 40 is NaN/);
  });
});
