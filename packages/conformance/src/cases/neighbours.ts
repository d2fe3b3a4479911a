// What lowering joins to a kernel besides epilogues, where the kernel takes it: a norm of the rows that a product reads, the halves of
// its columns taken together, and results that are written to a cache as well.
import {
  activation,
  add,
  cast,
  expr,
  layerNorm,
  linear,
  mul,
  pointwise,
  reshape,
  rmsNorm,
  rope,
  scatter,
  slice,
  sub,
  transpose,
} from '@transept/tensor';
import type { Graph, Shape, Storage, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { cycle, uniform } from '../random.ts';

type Build = (g: Graph) => Readonly<Record<string, Tensor>>;

const matmulCase = (name: string, build: Build, more: Partial<OpCase> = {}): OpCase => ({
  op: 'matmul',
  name,
  build,
  ...more,
});

type Norm = (x: Tensor, g: Graph, options?: { readonly eps?: number; readonly name?: string }) => Tensor;
const norms: Readonly<Record<string, Norm>> = {
  layerNorm(x, g, { eps = 1e-5, name = 'norm' } = {}) {
    const [weight, bias] = ['weight', 'bias'].map((part) => g.parameter(`${name}.${part}`, x.shape.slice(-1)));
    return layerNorm(x, weight!, bias!, eps);
  },
  rmsNorm: (x, g, { eps = 1e-5, name = 'norm' } = {}) =>
    rmsNorm(x, g.parameter(`${name}.weight`, x.shape.slice(-1)), eps),
};

const normCases = (kind: string, norm: Norm): readonly OpCase[] => {
  const of = (name: string, build: Build, more: Partial<OpCase> = {}): OpCase =>
    matmulCase(`norm before: ${kind}, ${name}`, build, more);
  const sized = (shape: Shape, columns: number, more: Partial<OpCase> = {}, eps = 1e-5): OpCase =>
    of(
      `[${shape.join(', ')}] to ${columns}${eps === 1e-5 ? '' : `, eps ${eps}`}`,
      (g) => ({ y: linear(norm(g.input('x', shape), g, { eps }), g.parameter('w', [columns, shape.at(-1)!])) }),
      more,
    );
  const stored = (storage: Storage, rows: number): OpCase =>
    of(
      `[${rows}, 96] to 43, ${storage} weight`,
      (g) => ({ y: linear(norm(g.input('x', [rows, 96]), g), g.parameter('w', [43, 96])) }),
      { stored: { w: storage } },
    );
  return [
    sized([1, 1], 3),
    sized([1, 64], 40),
    sized([1, 1, 256], 300),
    sized([2, 37], 5, { start: 'odd' }),
    sized([1, 1111], 9),
    sized([4, 32], 130),
    sized([3, 2, 20], 7),
    sized([20, 32], 33),
    sized([2, 64], 6, { contents: { x: uniform(1e-4, 2e-4) } }, 1e-12),
    sized([1, 48], 6, { contents: { x: uniform(-1e-3, 1e-3) } }, 0.1),
    sized([2, 64], 6, { contents: { x: cycle([3]) } }),
    sized([1, 512], 8, { contents: { x: uniform(100, 101) } }),
    ...(['f16', 'bf16', 'q8', 'q4'] as const).map((storage) => stored(storage, kind === 'rmsNorm' ? 3 : 1)),
    of('rows of f16', (g) => ({ y: linear(norm(g.input('x', [2, 32], 'f16'), g), g.parameter('w', [9, 32])) })),
    of(
      'a part of wider rows',
      (g) => ({ y: linear(norm(slice(g.input('x', [3, 50]), 1, 4, 36), g), g.parameter('w', [9, 32])) }),
      { start: 'odd' },
    ),
    of('bias and activation', (g) => ({
      y: activation(
        'gelu',
        add(linear(norm(g.input('x', [1, 64]), g), g.parameter('w', [70, 64])), g.parameter('b', [70])),
      ),
    })),
    of('kept for a residual', (g) => {
      const h = norm(g.input('x', [1, 1, 64]), g);
      const inner = activation('silu', linear(h, g.parameter('w', [24, 64])));
      return { y: add(h, linear(inner, g.parameter('v', [64, 24]))) };
    }),
    of('kept as an output', (g) => {
      const h = norm(g.input('x', [3, 33]), g);
      return { h, y: linear(h, g.parameter('w', [70, 33])) };
    }),
  ];
};

/** Who reads the normed rows. */
const readerCases: readonly OpCase[] = [
  matmulCase('norm before: layerNorm, three maps of the same rows', (g) => {
    const h = norms['layerNorm']!(g.input('x', [1, 40]), g);
    return Object.fromEntries(['q', 'k', 'v'].map((name) => [name, linear(h, g.parameter(`w${name}`, [12, 40]))]));
  }),
  matmulCase('norm before: layerNorm, the product and the rows in one sum', (g) => {
    const h = norms['layerNorm']!(g.input('x', [2, 32]), g);
    return { y: add(linear(h, g.parameter('w', [32, 32])), h) };
  }),
  matmulCase('norm before: layerNorm, in a block that goes on', (g) => {
    let h = norms['layerNorm']!(g.input('x', [1, 48]), g, { name: 'first' });
    for (const i of [0, 1, 2]) {
      const inner = activation('silu', linear(h, g.parameter(`up${i}`, [96, 48])));
      h = norms['layerNorm']!(add(h, linear(inner, g.parameter(`down${i}`, [48, 96]))), g, { name: `norm${i}` });
    }
    return { h };
  }),
];

const halves = (both: Tensor): [Tensor, Tensor] => {
  const half = both.shape.at(-1)! / 2;
  return [slice(both, -1, 0, half), slice(both, -1, half)];
};
const gated = (kind: 'silu' | 'gelu', both: Tensor): Tensor => {
  const [gate, up] = halves(both);
  return mul(activation(kind, gate), up);
};
const gatedCase = (name: string, build: Build, more: Partial<OpCase> = {}): OpCase =>
  matmulCase(`halves: ${name}`, build, more);
const gatedSize = (rows: number, inner: number, columns: number, more: Partial<OpCase> = {}): OpCase =>
  gatedCase(
    `${rows}x${inner} to twice ${columns}${more.stored ? `, ${more.stored['w']} weight` : ''}`,
    (g) => ({ y: gated('silu', linear(g.input('x', [rows, inner]), g.parameter('w', [2 * columns, inner]))) }),
    more,
  );

const halvesCases: readonly OpCase[] = [
  gatedSize(1, 8, 1),
  gatedSize(1, 64, 96),
  gatedSize(1, 65, 37, { start: 'odd' }),
  gatedSize(3, 32, 50),
  gatedSize(6, 20, 7),
  gatedSize(20, 32, 33),
  ...(['f16', 'bf16', 'q8', 'q4'] as const).map((w) => gatedSize(2, 64, 21, { stored: { w } })),
  gatedCase('gelu, rows of a batch', (g) => ({
    y: gated('gelu', linear(g.input('x', [2, 1, 24]), g.parameter('w', [36, 24]))),
  })),
  gatedCase('the first less the second', (g) => {
    const [first, second] = halves(linear(g.input('x', [1, 24]), g.parameter('w', [36, 24])));
    return { y: sub(first, second) };
  }),
  gatedCase(
    'with a factor and a scalar',
    (g) => {
      const [gate, up] = halves(linear(g.input('x', [2, 24]), g.parameter('w', [36, 24])));
      const rate = { kind: 'scalar', scalar: g.scalar('rate', 'f32').scalar } as const;
      const product = expr.apply('mul', expr.apply('mul', expr.input(0), expr.input(1)), expr.input(2));
      return { y: pointwise(expr.apply('mul', product, rate), [gate, up, g.input('factor', [2, 18])]) };
    },
    { runs: [[2], [-0.5]] },
  ),
  gatedCase('halves that are read again', (g) => {
    const both = linear(g.input('x', [1, 24]), g.parameter('w', [36, 24]));
    return { y: gated('silu', both), gate: halves(both)[0] };
  }),
  gatedCase('each with a bias', (g) => ({
    y: gated('silu', add(linear(g.input('x', [1, 24]), g.parameter('w', [36, 24])), g.parameter('b', [36]))),
  })),
  gatedCase('normed before, a map after', (g) => {
    const x = g.input('x', [1, 32]);
    const hidden = gated('silu', linear(rmsNorm(x, g.parameter('scale', [32]), 1e-6), g.parameter('w', [80, 32])));
    return { y: add(x, linear(hidden, g.parameter('down', [32, 40]))) };
  }),
];

/** A cache [B, S, C] by positions, [S, B, C]. */
const byPosition = (x: Tensor): Tensor => transpose(x, [1, 0, ...[...x.shape.keys()].slice(2)]);

/** Queries, keys and values in one map; keys and values go into a cache of 9 positions. */
const projected =
  (batch: number, length: number, { bias = false, norm = false } = {}): Build =>
  (g) => {
    const [width, heads, size] = [20, 2, 6];
    const x = g.input('x', [batch, length, width]);
    const rows = norm ? rmsNorm(x, g.parameter('scale', [width]), 1e-5) : x;
    const product = linear(rows, g.parameter('w', [3 * heads * size, width]));
    const all = bias ? add(product, g.parameter('b', [3 * heads * size])) : product;
    const cache = g.state('cache', [batch, 9, 2 * heads * size]);
    scatter(byPosition(cache), g.scalar('start'), byPosition(slice(all, 2, heads * size)));
    return { query: slice(all, 2, 0, heads * size), all };
  };
const starts = { runs: [[0], [4], [8]] } as const;
const storeCase = (name: string, build: Build, more: Partial<OpCase> = {}): OpCase =>
  matmulCase(`stored: ${name}`, build, { ...starts, ...more });

const storeCases: readonly OpCase[] = [
  storeCase('one row', projected(1, 1)),
  storeCase('one row, biased', projected(1, 1, { bias: true }), { start: 'odd' }),
  storeCase('one row, normed before', projected(1, 1, { norm: true, bias: true })),
  storeCase('rows of a batch', projected(3, 1, { bias: true })),
  storeCase('several positions', projected(1, 4), { runs: [[0], [5]] }),
  storeCase('several positions of a batch', projected(2, 3, { bias: true }), { runs: [[0], [3]], start: 'odd' }),
  storeCase('many positions of a batch', projected(2, 7), { runs: [[1]] }),
  storeCase('beyond the end', projected(2, 3), { runs: [[7], [8], [9], [2 ** 31 - 3]] }),
  storeCase('before the first', projected(2, 3), { runs: [[-1], [-2], [-3], [-(2 ** 31)]] }),
  storeCase(
    'at a place that is known',
    (g) => {
      const all = linear(g.input('x', [2, 16]), g.parameter('w', [10, 16]));
      return { all, cache: scatter(g.state('rows', [7, 10]), 5, all) };
    },
    { runs: [[]] },
  ),
  storeCase('two parts in two caches', (g) => {
    const all = linear(g.input('x', [3, 16]), g.parameter('w', [30, 16]));
    scatter(g.state('keys', [8, 10]), g.scalar('start'), slice(all, 1, 10, 20));
    scatter(g.state('values', [8, 10]), g.scalar('start'), slice(all, 1, 20));
    return { query: slice(all, 1, 0, 10) };
  }),
  storeCase('a cache of f16', (g) => {
    const all = linear(g.input('x', [1, 2, 16]), g.parameter('w', [30, 16]));
    const rows = cast(byPosition(slice(all, 2, 10)), 'f16');
    scatter(byPosition(g.state('cache', [1, 8, 20], 'f16')), g.scalar('start'), rows);
    return { all };
  }),
  storeCase('where somebody reads what was there before', (g) => {
    const cache = g.state('cache', [8, 10]);
    const all = linear(g.input('x', [2, 16]), g.parameter('w', [10, 16]));
    const before = mul(slice(cache, 0, 0, 4), 2);
    scatter(cache, g.scalar('start'), all);
    return { before, all };
  }),
  storeCase('rows that are read as well', (g) => {
    const cache = g.state('cache', [8, 16]);
    const all = linear(slice(cache, 0, 0, 2), g.parameter('w', [16, 16]));
    return { after: mul(scatter(cache, g.scalar('start'), all), 1) };
  }),
  {
    op: 'rope',
    name: 'stored: keys beside queries, values from the product',
    build: (g) => {
      const [heads, groups, size] = [4, 2, 8];
      const x = g.input('x', [2, 3, 16]);
      const all = linear(x, g.parameter('w', [(heads + 2 * groups) * size, 16]));
      const split = (t: Tensor, n: number): Tensor => reshape(t, [...t.shape.slice(0, 2), n, size]);
      const turning = split(slice(all, 2, 0, (heads + groups) * size), heads + groups);
      const turned = rope(turning, g.input('cos', [3, 1, size / 2]), g.input('sin', [3, 1, size / 2]));
      const cache = g.state('cache', [2, 9, 2 * groups * size]);
      const half = (from: number, t: Tensor): Tensor =>
        byPosition(split(slice(t, 2, from, from + groups * size), groups));
      const values = split(slice(all, 2, (heads + groups) * size), groups);
      const withValues = scatter(half(groups * size, cache), g.scalar('start'), byPosition(values));
      scatter(half(0, withValues), g.scalar('start'), byPosition(slice(turned, 2, heads)));
      return { query: slice(turned, 2, 0, heads) };
    },
    runs: [[0], [5], [7], [-2]],
  },
  ...[false, true].map((interleaved): OpCase => ({
    op: 'rope',
    name: `stored: one row${interleaved ? ', interleaved' : ''}`,
    build: (g) => {
      const turned = rope(g.input('x', [1, 1, 3, 10]), g.input('cos', [1, 1, 4]), g.input('sin', [1, 1, 4]), {
        interleaved,
      });
      scatter(g.state('cache', [7, 2, 10]), g.scalar('start'), reshape(slice(turned, 2, 1), [1, 2, 10]));
      return { query: slice(turned, 2, 0, 1) };
    },
    runs: [[0], [6], [7]],
    start: interleaved ? 'odd' : 'aligned',
  })),
];

export const neighbourCases: readonly OpCase[] = [
  ...Object.entries(norms).flatMap(([kind, norm]) => normCases(kind, norm)),
  ...readerCases,
  ...halvesCases,
  ...storeCases,
];
