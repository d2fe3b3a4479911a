// Attention: head sizes in use, grouped heads, everything that decides which keys a query sees, and queries that see none.
import { attention, slice } from '@transept/tensor';
import type { AttentionOptions, Graph, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { cycle, integers, uniform } from '../random.ts';

interface Sizes {
  readonly batch?: number;
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  /** Heads of keys and values. Default: as many as `heads`. */
  readonly groups?: number;
  readonly size: number;
  /** Size of a value. Default: `size`. */
  readonly values?: number;
}

type Options = (g: Graph, sizes: Sizes) => AttentionOptions;

const attentionCase = (
  name: string,
  sizes: Sizes,
  options: Options = () => ({}),
  more: Partial<OpCase> = {},
): OpCase => ({
  op: 'attention',
  name,
  build: (g) => {
    const { batch = 1, queries, keys, heads, groups = heads, size, values = size } = sizes;
    const q = g.input('q', [batch, queries, heads, size]);
    const k = g.input('k', [batch, keys, groups, size]);
    return { out: attention(q, k, g.input('v', [batch, keys, groups, values]), options(g, sizes)) };
  },
  ...more,
});

const small: Sizes = { batch: 2, queries: 5, keys: 9, heads: 4, size: 8 };

/** A padding mask [B, S]. */
const padding: Options = (g, { batch = 1, keys }) => ({
  mask: g.view(g.input('mask', [batch, keys], 'i32').node, {
    offset: 0,
    shape: [batch, 1, 1, keys],
    strides: [keys, 0, 0, 1],
  }),
});
const lengths = (...visible: number[]): NonNullable<OpCase['contents']> => ({
  mask: (_, i) => Number(i % 9 < visible[Math.floor(i / 9)]!),
});
const scalarStart: Options = (g) => ({ causal: true, start: g.scalar('start') });

export const attentionCases: readonly OpCase[] = [
  ...[1, 4, 8, 12, 16, 32, 40, 64, 80, 96, 128, 256].map((size) =>
    attentionCase(`head size ${size}`, { queries: 3, keys: 6, heads: 2, size }),
  ),
  attentionCase('one of everything', { queries: 1, keys: 1, heads: 1, size: 1 }),
  attentionCase('odd sizes', { batch: 3, queries: 7, keys: 11, heads: 3, size: 5 }, undefined, { start: 'odd' }),
  attentionCase('one query, many keys', { queries: 1, keys: 301, heads: 2, size: 16 }),
  attentionCase('many queries', { queries: 67, keys: 33, heads: 2, size: 16 }),
  attentionCase('65 keys', { batch: 2, queries: 2, keys: 65, heads: 2, size: 8 }),
  attentionCase('values of another size', { queries: 4, keys: 9, heads: 2, size: 8, values: 20 }),
  attentionCase('values smaller than keys', { queries: 4, keys: 9, heads: 2, size: 24, values: 4 }),
  attentionCase('grouped heads 8/2', { batch: 2, queries: 3, keys: 10, heads: 8, groups: 2, size: 8 }),
  attentionCase('one head of keys for all', { queries: 3, keys: 10, heads: 5, groups: 1, size: 12 }),
  attentionCase('own scale', small, () => ({ scale: 0.7 })),
  attentionCase('causal', { ...small, queries: 9 }, () => ({ causal: true })),
  attentionCase(
    'causal, grouped',
    { batch: 2, queries: 13, keys: 13, heads: 6, groups: 3, size: 16 },
    () => ({ causal: true }),
    { start: 'odd' },
  ),
  attentionCase('causal, keys before the first query', small, () => ({ causal: true, start: 4 })),
  attentionCase('causal from a scalar', { ...small, queries: 2 }, scalarStart, { runs: [[0], [1], [7], [20]] }),
  attentionCase('one token at a time', { batch: 3, queries: 1, keys: 70, heads: 2, size: 8 }, scalarStart, {
    runs: [[0], [1], [63], [64], [69]],
  }),
  attentionCase('keys that count', small, () => ({ keys: 6 })),
  attentionCase('keys that count, from a scalar', small, (g) => ({ keys: g.scalar('keys') }), {
    runs: [[9], [1], [4]],
  }),
  attentionCase('no key counts', small, (g) => ({ keys: g.scalar('keys') }), { runs: [[0]] }),
  attentionCase('causal from before all keys', small, scalarStart, { runs: [[-3], [-9]] }),
  attentionCase('memory beyond the keys is not multiplied in', small, () => ({ keys: 5 }), {
    contents: {
      k: (r, i) => ((i / 32) % 9 < 5 ? r.uniform(-1, 1) : 3e38),
      v: (r, i) => ((i / 32) % 9 < 5 ? r.uniform(-1, 1) : 3e38),
    },
  }),
  attentionCase('NaN beyond the keys is not multiplied in', small, () => ({ keys: 5 }), {
    special: true,
    contents: {
      k: (r, i) => ((i / 32) % 9 < 5 ? r.uniform(-1, 1) : NaN),
      v: (r, i) => ((i / 32) % 9 < 5 ? r.uniform(-1, 1) : NaN),
    },
  }),
  attentionCase('window 3', { ...small, queries: 9 }, () => ({ causal: true, window: 3 })),
  attentionCase('window to both sides', { ...small, queries: 9 }, () => ({ window: 2 })),
  attentionCase(
    'window 1 from a scalar',
    { ...small, queries: 2 },
    (g) => ({ causal: true, window: 4, start: g.scalar('start') }),
    { runs: [[0], [5], [7]] },
  ),
  attentionCase('padding mask', small, padding, { contents: lengths(9, 4) }),
  attentionCase('padding mask that hides all of a sequence', small, padding, { contents: lengths(3, 0) }),
  attentionCase('padding mask, causal', { ...small, queries: 9 }, (g, s) => ({ ...padding(g, s), causal: true }), {
    contents: lengths(7, 9),
  }),
  attentionCase('mask of any truth values', small, padding, { contents: { mask: cycle([5, 0, -1, 0, 1]) } }),
  attentionCase(
    'a mask of its own for every query',
    { ...small, batch: 1 },
    (g) => ({ mask: g.input('mask', [1, 4, 5, 9], 'i32') }),
    { contents: { mask: integers(0, 1) } },
  ),
  attentionCase('a mask for every query of all heads', small, (g) => ({ mask: g.input('mask', [2, 1, 5, 9], 'i32') }), {
    contents: { mask: integers(0, 1) },
    start: 'odd',
  }),
  attentionCase('bias', small, (g) => ({ bias: g.input('bias', [2, 4, 5, 9]) })),
  attentionCase('bias of heads and positions', small, (g) => ({ bias: g.input('bias', [4, 5, 9]), scale: 1 })),
  attentionCase(
    'bias and mask, causal',
    { ...small, queries: 9 },
    (g, s) => ({ ...padding(g, s), bias: g.input('bias', [1, 4, 9, 9]), causal: true }),
    { contents: lengths(9, 6) },
  ),
  attentionCase('softcap', small, () => ({ softcap: 1.5 }), { contents: { q: uniform(-3, 3), k: uniform(-3, 3) } }),
  attentionCase(
    'softcap, bias, grouped, window, causal',
    { batch: 2, queries: 8, keys: 8, heads: 4, groups: 2, size: 16 },
    (g) => ({ softcap: 5, bias: g.input('bias', [1, 4, 8, 8]), window: 5, causal: true }),
  ),
  attentionCase('scores far apart', small, () => ({ scale: 1 }), {
    contents: { q: uniform(-5, 5), k: uniform(-5, 5) },
  }),
  {
    op: 'attention',
    name: 'heads of a merged projection',
    build: (g) => {
      const merged = g.input('merged', [2, 6, 12, 8]); // [B, T, 3H, D]
      const part = (i: number): Tensor => slice(merged, 2, 4 * i, 4 * i + 4);
      return { out: attention(part(0), part(1), part(2), { causal: true }) };
    },
    start: 'odd',
  },
  {
    op: 'attention',
    name: 'keys and values of a cache',
    build: (g) => {
      const cache = g.state('cache', [2, 12, 2, 4, 8]); // [B, S, 2, H, D]
      const part = (i: number): Tensor =>
        g.view(cache.node, { offset: 32 * i, shape: [2, 12, 4, 8], strides: [768, 64, 8, 1] });
      return {
        out: attention(g.input('q', [2, 2, 4, 8]), part(0), part(1), { causal: true, start: g.scalar('start') }),
      };
    },
    runs: [[0], [5], [10]],
  },
  {
    op: 'attention',
    name: 'keys and values of a cache in f16',
    build: (g) => {
      const cache = g.state('cache', [2, 12, 2, 2, 8], 'f16'); // [B, S, 2, G, D]
      const part = (i: number): Tensor =>
        g.view(cache.node, { offset: 16 * i, shape: [2, 12, 2, 8], strides: [384, 32, 8, 1] });
      return {
        out: attention(g.input('q', [2, 2, 4, 8]), part(0), part(1), { causal: true, start: g.scalar('start') }),
      };
    },
    runs: [[0], [10]],
  },
  {
    op: 'attention',
    name: 'elements of a head apart',
    build: (g) => ({
      out: attention(
        g.input('q', [1, 3, 2, 8]),
        slice(g.input('k', [1, 7, 2, 16]), 3, 0, 16, 2),
        g.input('v', [1, 7, 2, 8]),
      ),
    }),
  },
  attentionCase('no keys at all', { queries: 3, keys: 0, heads: 2, size: 8 }),
  {
    ...attentionCase('', { batch: 1, queries: 128, keys: 128, heads: 8, size: 64 }, () => ({ causal: true })),
    name: '128 of 128, 8 heads of 64',
    forSpeed: true,
  },
  {
    ...attentionCase('', { batch: 1, queries: 1, keys: 1024, heads: 16, size: 64 }),
    name: '1 of 1024, 16 heads of 64',
    forSpeed: true,
  },
];
