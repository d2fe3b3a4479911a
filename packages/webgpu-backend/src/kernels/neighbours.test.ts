// What products and rotations take from their neighbours, in every way that kernels do it: against the reference backend.
import { activation, add, layerNorm, linear, mul, reshape, rmsNorm, rope, scatter, slice } from '@transept/tensor';
import type { Graph, Tensor } from '@transept/tensor';
import { expect, test } from 'vitest';
import { onEveryKind } from '../testing/device.ts';
import { compareGraph } from '../testing/graph.ts';

const block =
  (norm: 'layerNorm' | 'rmsNorm', rows: number, width: number, hidden: number) =>
  (g: Graph): Record<string, Tensor> => {
    const x = g.input('x', [rows, width]);
    const weight = g.parameter('weight', [width]);
    const h = norm === 'rmsNorm' ? rmsNorm(x, weight, 1e-6) : layerNorm(x, weight, g.parameter('bias', [width]), 1e-5);
    const both = linear(h, g.parameter('up', [2 * hidden, width]));
    const gated = mul(activation('silu', slice(both, 1, 0, hidden)), slice(both, 1, hidden));
    return { y: add(h, linear(gated, g.parameter('down', [width, hidden]))) };
  };

await onEveryKind('neighbours', (backend) => {
  test.each([
    ['rmsNorm', 1, 64, 96],
    ['layerNorm', 1, 37, 3],
    ['layerNorm', 1, 128, 1000],
    ['layerNorm', 6, 20, 9],
  ] as const)('%s, %i rows of %i, gated', async (norm, rows, width, hidden) => {
    const absolute = Math.max(2e-5, 2e-7 * hidden);
    const ops = await compareGraph(backend, block(norm, rows, width, hidden), { absolute });
    // A processor that plays GPU norms one row itself, not several.
    const isApart = rows > 1 && backend.capabilities.details['software'] === true;
    expect(ops).toEqual([...(isApart ? [norm] : []), 'matmul', 'matmul']);
  });

  test('keys are stored by their rotation, values by the product', async () => {
    const build = (g: Graph): Record<string, Tensor> => {
      const all = reshape(linear(g.input('x', [3, 16]), g.parameter('w', [48, 16])), [1, 3, 6, 8]);
      const turned = rope(slice(all, 2, 0, 4), g.input('cos', [3, 1, 4]), g.input('sin', [3, 1, 4]));
      const cache = g.state('cache', [9, 4, 8]);
      const values = scatter(slice(cache, 1, 2), g.scalar('start'), reshape(slice(all, 2, 4), [3, 2, 8]));
      scatter(slice(values, 1, 0, 2), g.scalar('start'), reshape(slice(turned, 2, 2), [3, 2, 8]));
      return { query: slice(turned, 2, 0, 2) };
    };
    const ops = await compareGraph(backend, build, { runs: [[0], [7], [-2]] });
    expect(ops).toEqual(['matmul', 'rope', 'copy']);
  });
});
