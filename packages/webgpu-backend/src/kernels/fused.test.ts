// Every fused kernel against its definition in primitives, computed by the reference backend.
import {
  activation,
  add,
  argmax,
  attention,
  gather,
  layerNorm,
  linear,
  logSoftmax,
  matmul,
  mul,
  rmsNorm,
  rope,
  slice,
  softmax,
  transpose,
} from '@transept/tensor';
import type { AttentionOptions, Graph, Tensor } from '@transept/tensor';
import { expect, test } from 'vitest';
import { onDevice, onEveryKind } from '../testing/device.ts';
import { compareGraph } from '../testing/graph.ts';

await onEveryKind('rows', (backend, kind) => {
  const widths = kind === 'as it is' ? [1, 3, 8, 43, 256, 1000, 6001] : [3, 256, 1000];
  test.each(widths)('softmax and logSoftmax of %i', async (c) => {
    const ops = await compareGraph(backend, (g) => {
      const x = mul(g.input('x', [3, 2, c]), 20);
      return { y: softmax(x), z: logSoftmax(transpose(x, [1, 0, 2])) };
    });
    expect(ops).toEqual(expect.arrayContaining(['softmax', 'logSoftmax']));
  });
  test.each(widths)('norms of %i', async (c) => {
    const ops = await compareGraph(backend, (g) => {
      const x = transpose(g.input('x', [5, 3, c]), [1, 0, 2]);
      const weight = g.parameter('weight', [c]);
      return { y: layerNorm(add(x, 3), weight, g.parameter('bias', [c]), 1e-5), z: rmsNorm(x, weight, 1e-6) };
    });
    expect(ops).toEqual(expect.arrayContaining(['layerNorm', 'rmsNorm']));
  });
  test.each(widths)('argmax of %i, ties to the lowest', async (c) => {
    const ties = Array.from({ length: 7 * c }, (_, i) => Math.round(Math.sin(i) * 3));
    const ops = await compareGraph(
      backend,
      (g) => ({ y: argmax(g.input('x', [7, c])), z: argmax(transpose(g.input('w', [c, 4]))) }),
      {
        contents: { x: ties },
      },
    );
    expect(ops).toEqual(['argmax', 'argmax']);
  });
  test('argmax of very negative rows', async () => {
    const x = [-Infinity, -Infinity, -Infinity, -3.4028234663852886e38, -Infinity, -3.4028234663852886e38];
    await compareGraph(backend, (g) => ({ y: argmax(g.input('x', [2, 3])) }), { contents: { x } });
  });
});

await onDevice('rope', (backend) => {
  test.each([
    [8, 4, false],
    [8, 4, true],
    [10, 3, false],
    [10, 3, true],
    [6, 0, false],
  ])('size %i, %i pairs, interleaved: %s', async (d, half, interleaved) => {
    const ops = await compareGraph(backend, (g) => {
      const x = slice(g.input('x', [2, 5, 3, d + 2]), 3, 1, d + 1);
      return { y: rope(x, g.input('cos', [5, 1, half]), g.input('sin', [5, 1, half]), { interleaved }) };
    });
    expect(ops).toEqual(['rope']);
  });
});

await onEveryKind('attention', (backend, kind) => {
  interface Sizes {
    readonly b?: number;
    readonly t: number;
    readonly s: number;
    readonly h?: number;
    readonly g?: number;
    readonly d: number;
    readonly dv?: number;
  }
  const run = (
    { b = 2, t, s, h = 4, g = h, d, dv = d }: Sizes,
    options: (graph: Graph) => AttentionOptions = () => ({}),
    runs?: number[][],
    contents?: Record<string, number[]>,
  ): Promise<string[]> =>
    compareGraph(
      backend,
      (graph) => {
        const o = options(graph);
        return {
          y: attention(
            graph.input('q', [b, t, h, d]),
            graph.input('k', [b, s, g, d]),
            graph.input('v', [b, s, g, dv]),
            o,
          ),
        };
      },
      { ...(runs && { runs }), ...(contents && { contents }) },
    );

  const sizes: readonly Sizes[] = [
    { t: 1, s: 77, d: 32, h: 8 },
    { t: 5, s: 33, d: 32 },
    { t: 3, s: 9, d: 20, dv: 12, g: 2 },
    { b: 1, t: 1, s: 70, d: 128, h: 3, g: 1 },
    { t: 4, s: 6, d: 3, dv: 5 },
  ];
  test.each(kind === 'as a GPU' ? sizes.slice(0, 3) : sizes)('%o', async (size) => {
    if (kind === 'as it is') expect(await run(size, () => ({ scale: 2 }))).toEqual(['attention']);
    const start = size.s - size.t;
    expect(await run(size, () => ({ causal: true, window: 4, start, softcap: 0.5 }))).toEqual(['attention']);
  });
  const more: readonly Sizes[] = [
    { t: 1, s: 1, d: 4 },
    { t: 1, s: 3, d: 1, dv: 2 },
    { t: 2, s: 9, d: 64, dv: 8 },
    { t: 1, s: 5, d: 2, dv: 300 },
  ];
  test.runIf(kind === 'as it is').each(more)('%o', async (size) => {
    expect(await run(size, () => ({ causal: true, start: size.s - size.t }))).toEqual(['attention']);
  });

  test.each([1, -1])('several blocks of keys, scores that rise or fall: %i', async (sign) => {
    const [s, d] = [2500, 4];
    const k = Array.from({ length: s * d }, (_, i) => (sign * Math.floor(i / d)) / 500);
    await run({ b: 1, t: 2, s, d, h: 1 }, () => ({ scale: 1, causal: true, start: s - 2 }), undefined, {
      q: [1, 0.5, 1, 0.5, 1, 1, 0.1, 0.1],
      k,
    });
  });

  test('keys and start by scalars; memory beyond holds anything', async () => {
    const [t, s, d] = [3, 12, 8];
    const garbage = (length: number, used: number): number[] =>
      Array.from({ length }, (_, i) => (i < used ? Math.sin(i) : Number.NaN));
    const options = (g: Graph): AttentionOptions => ({
      causal: true,
      start: g.scalar('start', 'i32'),
      keys: g.scalar('keys', 'i32'),
    });
    const contents = { k: garbage(s * 4 * d, 7 * 4 * d), v: garbage(s * 4 * d, 7 * 4 * d) };
    for (const scalars of [
      [4, 7],
      [0, 3],
      [2, 5],
      [0, 1],
    ])
      await run({ b: 1, t, s, d }, options, [scalars], contents);
  });

  test('padding masks; queries that see nothing give zeros', async () => {
    const mask = [1, 1, 0, 1, 0, 0, 0, 0, 0, 0];
    const v = Array.from({ length: 2 * 5 * 4 * 8 }, (_, i) => (mask[Math.floor(i / 32)] ? Math.cos(i) : Number.NaN));
    const options = (g: Graph): AttentionOptions => ({ mask: g.input('m', [2, 1, 1, 5], 'i32') });
    await run({ t: 6, s: 5, d: 8 }, options, undefined, { m: mask, v });
  });

  test('a mask and a bias for each head and query', async () => {
    const shape = [2, 4, 3, 7];
    const m = Array.from({ length: 2 * 4 * 3 * 7 }, (_, i) => (i * 7) % 3);
    const options = (g: Graph): AttentionOptions => ({
      mask: g.input('m', shape, 'i32'),
      bias: g.input('bias', shape),
      causal: true,
      start: 3,
    });
    await run({ t: 3, s: 7, d: 5 }, options, undefined, { m });
  });

  test('slices of a merged projection and of a cache', async () => {
    const [b, t, s, h, d] = [2, 3, 10, 4, 8];
    const c = h * d;
    const heads = (x: Tensor, i: number, length: number): Tensor => {
      const part = slice(x, 2, i * c, (i + 1) * c);
      return { ...part, shape: [b, length, h, d], strides: [part.strides[0]!, part.strides[1]!, d, 1] };
    };
    const ops = await compareGraph(backend, (g) => {
      const q = heads(g.input('qkv', [b, t, 3 * c]), 1, t);
      const cache = g.input('cache', [b, s, 2 * c]);
      return { y: attention(q, heads(cache, 0, s), heads(cache, 1, s), { causal: true, start: s - t }) };
    });
    expect(ops).toEqual(['attention']);
  });
});

await onDevice('a block', (backend) => {
  test('embedding, attention, feed-forward and norms of a decoder', async () => {
    const [b, t, c, f, h, v] = [2, 5, 32, 64, 4, 43];
    const ids = Array.from({ length: b * t }, (_, i) => (i * 17) % v);
    await compareGraph(
      backend,
      (g) => {
        const weight = (name: string, n: number, k: number): Tensor => g.parameter(name, [n, k]);
        const bias = (name: string, n: number): Tensor => g.parameter(name, [n]);
        const table = weight('embed', v, c);
        const x = add(
          mul(gather(table, g.input('ids', [b, t], 'i32')), Math.sqrt(c)),
          g.parameter('positions', [t, c]),
        );
        const split = (y: Tensor): Tensor => ({ ...y, shape: [b, t, h, c / h], strides: [t * c, c, c / h, 1] });
        const [q, k, vs] = ['q', 'k', 'v'].map((n) => split(add(linear(x, weight(`${n}.w`, c, c)), bias(`${n}.b`, c))));
        const a = attention(q!, k!, vs!, { causal: true });
        const joined = { ...a, shape: [b, t, c], strides: [t * c, c, 1] };
        const y = layerNorm(
          add(add(linear(joined, weight('o.w', c, c)), bias('o.b', c)), x),
          bias('n1.w', c),
          bias('n1.b', c),
          1e-5,
        );
        const hidden = activation('silu', add(linear(y, weight('f1', f, c)), bias('f1.b', f)));
        const z = add(linear(hidden, weight('f2', c, f)), bias('f2.b', c));
        const out = layerNorm(add(z, y), bias('n2.w', c), bias('n2.b', c), 1e-5);
        return { logits: matmul(out, transpose(table)), last: argmax(matmul(out, transpose(table))) };
      },
      { contents: { ids }, absolute: 1e-4 },
    );
  });
});
