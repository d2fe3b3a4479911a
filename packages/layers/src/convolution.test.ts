import { expect, it } from 'vitest';
import { convolution } from './convolution.ts';
import { evaluate } from './testing/evaluate.ts';
import { weights } from './weights.ts';

const numbers = (length: number, seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + i * 1.7));

it.each([
  { size: 3, padding: 1, stride: 1, groups: 1 },
  { size: 3, padding: 1, stride: 2, groups: 1 },
  { size: 4, padding: 0, stride: 3, groups: 1 },
  { size: 5, padding: 2, stride: 1, groups: 3 },
  { size: 1, padding: 0, stride: 1, groups: 2 },
])('is a sum over windows: %o', async ({ size, padding, stride, groups }) => {
  const [B, T, K, N] = [2, 11, 6, 12];
  const given = {
    x: { shape: [B, T, K], data: numbers(B * T * K, 1) },
    'at.weight': { shape: [N, K / groups, size], data: numbers((N * K * size) / groups, 2) },
    'at.bias': { shape: [N], data: numbers(N, 3) },
  };
  const { x: plain, 'at.weight': weight, 'at.bias': bias } = given;
  const count = Math.floor((T + 2 * padding - size) / stride) + 1;
  const expected: number[] = [];
  for (let b = 0; b < B; b++)
    for (let t = 0; t < count; t++)
      for (let n = 0; n < N; n++) {
        const first = Math.floor(n / (N / groups)) * (K / groups);
        let sum = bias.data[n]!;
        for (let k = 0; k < K / groups; k++)
          for (let i = 0; i < size; i++) {
            const at = t * stride + i - padding;
            if (at >= 0 && at < T)
              sum += plain.data[(b * T + at) * K + first + k]! * weight.data[(n * (K / groups) + k) * size + i]!;
          }
        expected.push(sum);
      }
  const { shape, data } = await evaluate({ x: plain, 'at.weight': weight, 'at.bias': bias }, (g, { x, ...stored }) =>
    convolution(
      x!,
      { ...weights(g), get: (name) => stored[`at.${name}`]! },
      { width: N, size, padding, stride, groups },
    ),
  );
  expect(shape).toEqual([B, count, N]);
  data.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
});
