import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { convert } from '../convert.ts';
import { blockOf, type StoredDType } from '../stored.ts';

interface Golden {
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
});
