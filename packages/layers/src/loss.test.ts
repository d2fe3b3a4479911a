// Losses and the gradient of cross entropy against PyTorch.
import { readFileSync } from 'node:fs';
import { crossEntropyGradient, div, fill } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import { meanBinaryCrossEntropy, meanCrossEntropy, meanSquaredError } from './loss.ts';
import { evaluate } from './testing/evaluate.ts';
import type { Given } from './testing/evaluate.ts';

/** fixtures/torch-losses: a safetensors file of f32 and i64 tensors. */
function recorded(): (name: string) => Given {
  const file = readFileSync(new URL('../../../fixtures/torch-losses/losses.safetensors', import.meta.url));
  const start = 8 + Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return (name) => {
    const { dtype, shape, data_offsets: at } = header[name]!;
    const { buffer } = Uint8Array.from(file.subarray(start + at[0], start + at[1]));
    return {
      shape,
      data: dtype === 'I64' ? Int32Array.from(new BigInt64Array(buffer), Number) : new Float32Array(buffer),
    };
  };
}

const read = recorded();
const [logits, labels] = [read('logits'), read('target')];

describe('cross entropy', () => {
  const counted = Array.from(labels.data).reduce((n, label) => n + Number(label !== -100), 0);

  it.each([
    ['ce_ls0.0', 0],
    ['ce_ls0.1', 0.1],
  ])('%s', async (name, smoothing) => {
    const mean = await evaluate({ logits, labels }, (_, given) =>
      meanCrossEntropy(given['logits']!, given['labels']!, { smoothing }),
    );
    expect(mean.data[0]).toBeCloseTo(read(`${name}_mean`).data[0]!, 5);
    expect(mean.data[0]! * counted).toBeCloseTo(read(`${name}_sum`).data[0]!, 4);
    const gradient = await evaluate({ logits, labels }, (_, given) => {
      const each = div(fill(given['logits']!, labels.shape, 1), counted);
      return crossEntropyGradient(given['logits']!, given['labels']!, each, { smoothing });
    });
    expect(gradient.shape).toEqual(logits.shape);
    read(`grad_${name}_mean`).data.forEach((x, i) => expect(gradient.data[i]).toBeCloseTo(x, 6));
  });

  it('refuses labels of another shape', async () => {
    const given = { logits, labels: { shape: [2, 3], data: Int32Array.from(labels.data) } };
    await expect(evaluate(given, (_, { logits: x, labels: y }) => meanCrossEntropy(x!, y!))).rejects.toThrow(
      'crossEntropy: logits are [6, 11], labels are [2, 3]; there is one label a row',
    );
  });
});

const row = (...data: number[]): Given => ({ shape: [data.length], data: Float32Array.from(data) });

it('binary cross entropy, of all elements and of some', async () => {
  // torch.nn.functional.binary_cross_entropy_with_logits
  const given = {
    x: row(-120, -1.5, 0, 2, 90),
    y: row(1, 0, 1, 0.25, 1),
    some: { shape: [5], data: Int32Array.of(0, 1, 1, 0, 1) },
  };
  const all = await evaluate(given, (_, { x, y }) => meanBinaryCrossEntropy(x!, y!));
  expect(all.data[0]).toBeCloseTo(
    (120 + Math.log1p(Math.exp(-1.5)) + Math.LN2 + 2 - 0.5 + Math.log1p(Math.exp(-2))) / 5,
    5,
  );
  const few = await evaluate(given, (_, { x, y, some }) => meanBinaryCrossEntropy(x!, y!, some));
  expect(few.data[0]).toBeCloseTo((Math.log1p(Math.exp(-1.5)) + Math.LN2) / 3, 6);
});

it('squared error', async () => {
  const { data } = await evaluate({ x: row(1, 2, 4), y: row(1, 0, 1) }, (_, { x, y }) => meanSquaredError(x!, y!));
  expect(data[0]).toBeCloseTo(13 / 3, 6);
});
