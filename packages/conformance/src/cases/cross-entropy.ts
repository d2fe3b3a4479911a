// Cross entropy and its gradient: rows of every length, labels at both ends and outside, values that overflow unless the largest is
// subtracted first, with and without smoothing.
import { broadcastTo, crossEntropy, crossEntropyGradient, slice, transpose } from '@transept/tensor';
import type { CrossEntropyOptions, Graph, OpName, Shape, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { cycle, integers, uniform } from '../random.ts';

const ops: readonly OpName[] = ['crossEntropy', 'crossEntropyGradient'];

interface Given extends CrossEntropyOptions {
  readonly logits: (g: Graph) => Tensor;
  readonly labels?: (g: Graph, shape: Shape) => Tensor;
}

const lossCase = (op: OpName, name: string, { logits, labels, ...options }: Given, more: Partial<OpCase>): OpCase => ({
  op,
  name,
  build: (g) => {
    const x = logits(g);
    const rows = x.shape.slice(0, -1);
    const chosen = labels ? labels(g, rows) : g.input('labels', rows, 'i32');
    return {
      out:
        op === 'crossEntropy'
          ? crossEntropy(x, chosen, options)
          : crossEntropyGradient(x, chosen, g.input('gradient', rows), options),
    };
  },
  ...more,
});

export const crossEntropyCases: readonly OpCase[] = ops.flatMap((op) => {
  const of = (name: string, given: Given, contents: OpCase['contents'] = {}, more: Partial<OpCase> = {}): OpCase =>
    lossCase(op, name, given, { contents: { labels: integers(0, 20), x: uniform(-4, 4), ...contents }, ...more });
  const ofShape = (shape: Shape, more: Partial<OpCase> = {}): OpCase =>
    of(
      `[${shape.join(', ')}]`,
      { logits: (g) => g.input('x', shape) },
      { labels: integers(-1, shape.at(-1)! - 1) },
      more,
    );
  const plain = (g: Graph): Tensor => g.input('x', [9, 21]);
  return [
    ...[1, 2, 3, 31, 64, 65, 255, 257, 1025].map((n) => ofShape([4, n], n % 2 ? { start: 'odd' } : {})),
    ofShape([2, 6001]),
    ofShape([131, 7]),
    ofShape([2, 3, 11]),
    ofShape([0, 4]),
    of('the first and the last class', { logits: plain }, { labels: cycle([0, 20]) }),
    of('labels outside leave their rows out', { logits: plain }, { labels: cycle([-100, 20, 21, 3, -1, 2 ** 30]) }),
    of('smoothed', { logits: plain, smoothing: 0.1 }),
    of('smoothed, labels outside', { logits: plain, smoothing: 0.3 }, { labels: cycle([4, -100, 21]) }),
    of('smoothed over everything', { logits: plain, smoothing: 1 }),
    of('large values', { logits: plain }, { x: uniform(9000, 9010) }),
    of('far below zero', { logits: plain, smoothing: 0.1 }, { x: uniform(-9010, -9000) }),
    of('a label far below the largest', { logits: plain }, { x: (r, i) => (i % 21 === 17 ? 60 : r.uniform(-60, 0)) }),
    of('along the first axis', { logits: (g) => transpose(g.input('x', [21, 6])) }),
    of('rows apart', { logits: (g) => slice(g.input('x', [6, 40]), 1, 3, 24), smoothing: 0.2 }, {}, { start: 'odd' }),
    of('one label for all', {
      logits: plain,
      labels: (g, rows) => broadcastTo(g.input('labels', [1], 'i32'), rows),
    }),
    of('every second label', {
      logits: (g) => g.input('x', [2, 4, 21]),
      labels: (g) => slice(g.input('labels', [2, 8], 'i32'), 1, 1, 8, 2),
    }),
    of('f16', { logits: (g) => g.input('x', [5, 21], 'f16') }),
    { ...ofShape([256, 8192]), name: '[256, 8192]', forSpeed: true },
  ];
});
