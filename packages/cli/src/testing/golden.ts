// What PyTorch computes with the default model, from fixtures/.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, openCheckpoint } from '@transept/checkpoint';

const all = join(import.meta.dirname, '..', '..', '..', '..', 'fixtures');
const fixtures = join(all, 'marian-de-en');

/** A decoder by itself, without a tokenizer. */
export const llama = join(all, 'stories260k-llama');

/** A text encoder without its head, and without a tokenizer. */
export const encoder = join(all, 'hf', 'bert-base');

/** Tiny models of other kinds, with what transformers computes for them in `golden.json`. */
export const recorded = (name: string): string => join(all, 'hf', name);

export interface GoldenRow {
  readonly source: string;
  readonly reference: string;
  readonly input_ids: readonly number[];
  readonly greedy: readonly number[];
  readonly greedy_text: string;
  readonly beam4: readonly number[];
  readonly beam4_text: string;
  readonly beam4_score: number;
}

export function goldenRows(): GoldenRow[] {
  return (JSON.parse(readFileSync(join(fixtures, 'golden-text.json'), 'utf8')) as { rows: GoldenRow[] }).rows;
}

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** The arrays of one call: `logits`, `input_ids` … */
export async function goldenCall(call: string, where = fixtures): Promise<Record<string, GoldenTensor>> {
  const checkpoint = await openCheckpoint(folder(where), { file: 'golden.safetensors' });
  const tensors: Record<string, GoldenTensor> = {};
  for (const { name, shape, dtype } of checkpoint.tensors.values()) {
    if (!name.startsWith(`${call}.`)) continue;
    const data = await checkpoint.read(name, { as: dtype.startsWith('I') ? 'i32' : 'f32' });
    tensors[name.slice(call.length + 1)] = { shape, data };
  }
  return tensors;
}

/** Nested rows of a matrix. */
export const rowsOf = (tensor: GoldenTensor): number[][] => nested(tensor) as number[][];

type Nested = readonly (number | Nested)[];

/** The numbers as lists in lists. */
export function nested({ shape, data }: GoldenTensor): Nested {
  const [count = 0, ...rest] = shape;
  if (rest.length === 0) return [...data];
  const size = data.length / count;
  return Array.from({ length: count }, (_, i) =>
    nested({ shape: rest, data: data.subarray(i * size, (i + 1) * size) }),
  );
}
