// Every fused kernel against its formula in plain TypeScript and f64: odd sizes, strides, epilogues, all variants, one and two threads
// with the same bits.
import { expr } from '@transept/tensor';
import type { Attrs, Backend } from '@transept/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { elementAt, everyVariant, operand, place, randomNumbers, runCase, sentinel } from './fixture.ts';
import type { CallCase, Operand } from './fixture.ts';

let backends: Record<string, Backend>;
beforeAll(async () => {
  backends = await everyVariant();
});
afterAll(() => {
  for (const backend of Object.values(backends)) backend[Symbol.dispose]();
});

const random = randomNumbers(3);
const normal = (): number => random() + random() + random() - 1.5;
const tensor = (shape: number[], strides?: number[]): Operand => operand(shape, normal, strides && { strides });
const { apply, constant, input } = expr;

/** Every element of the output as `want` says, everything around it untouched, and the same bits on two threads. */
async function check(made: CallCase, want: (i: number) => number, tolerance = 2e-6): Promise<void> {
  for (const [name, backend] of Object.entries(backends)) {
    const got = await runCase(backend, made);
    const seen = new Set<number>();
    const n = got.shape.reduce((a, b) => a * b, 1);
    for (let i = 0; i < n; i++) {
      seen.add(place(got, i));
      const [x, y] = [elementAt(got, i), want(i)];
      if (!(Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(y))))
        expect.fail(`${name}: element ${i} of [${got.shape.join()}]: ${x}, expected ${y}`);
    }
    got.storage.forEach((x, i) => seen.has(i) || expect(x, `${name}: guard ${i}`).toBe(sentinel));
    if (!name.endsWith('2')) continue;
    const alone = await runCase(backends[name.replace(/2$/, '1')]!, made);
    expect(new Uint32Array(got.storage.buffer)).toEqual(new Uint32Array(alone.storage.buffer));
  }
}

const rowsOf = (x: Operand): number[][] => {
  const columns = x.shape.at(-1)!;
  const rows = x.shape.slice(0, -1).reduce((a, b) => a * b, 1);
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: columns }, (_, c) => elementAt(x, r * columns + c)),
  );
};
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const rowCases: [number[], number[]?][] = [
  [[3, 1]],
  [[2, 3]],
  [[5, 43]],
  [
    [7, 64],
    [70, 1],
  ],
  [
    [4, 21],
    [1, 6],
  ],
  [
    [2, 3, 256],
    [256, 512, 1],
  ],
  [[90, 300]],
  [[6001]],
  [[0, 5]],
];

describe('rows', () => {
  rowCases.forEach(([shape, strides]) =>
    test(`[${shape.join()}]${strides ? ` with strides ${strides.join()}` : ''}`, async () => {
      const columns = shape.at(-1)!;
      const x = tensor(shape, strides);
      const rows = rowsOf(x);
      const output = { shape };
      const soft = rows.map((r) => {
        const top = Math.max(...r);
        const e = r.map((v) => Math.exp(v - top));
        const total = sum(e);
        return { p: e.map((v) => v / total), logp: r.map((v) => v - top - Math.log(total)) };
      });
      const p = soft.flatMap((s) => s.p);
      const logp = soft.flatMap((s) => s.logp);
      await check({ op: 'softmax', inputs: [x], output }, (i) => p[i]!);
      await check({ op: 'logSoftmax', inputs: [x], output }, (i) => logp[i]!);
      await check({ op: 'argmax', inputs: [x], output: { shape: shape.slice(0, -1), dtype: 'i32' } }, (i) =>
        rows[i]!.indexOf(Math.max(...rows[i]!)),
      );
      const weight = tensor([columns]);
      const bias = tensor([columns]);
      const eps = 1e-3;
      const normed = rows.map((r) => {
        const mean = sum(r) / columns;
        const scale = 1 / Math.sqrt(sum(r.map((v) => (v - mean) ** 2)) / columns + eps);
        const rms = 1 / Math.sqrt(sum(r.map((v) => v * v)) / columns + eps);
        return {
          layer: r.map((v, c) => (v - mean) * scale * elementAt(weight, c) + elementAt(bias, c)),
          rms: r.map((v, c) => v * rms * elementAt(weight, c)),
        };
      });
      const layer = normed.flatMap((r) => r.layer);
      await check({ op: 'layerNorm', attrs: { eps }, inputs: [x, weight, bias], output }, (i) => layer[i]!, 1e-5);
      const rms = normed.flatMap((r) => r.rms);
      await check({ op: 'rmsNorm', attrs: { eps }, inputs: [x, weight], output }, (i) => rms[i]!, 1e-5);
      const more = tensor(shape);
      await check(
        {
          op: 'rmsNorm',
          attrs: { eps },
          inputs: [x, weight],
          output,
          epilogue: { expr: apply('add', apply('mul', input(0), constant(2)), input(1)), inputs: [more] },
        },
        (i) => rms[i]! * 2 + elementAt(more, i),
        1e-5,
      );
    }),
  );
  test('softmax of very different numbers; argmax takes the first of equals', async () => {
    const x = operand([2, 6], (i) => [-Infinity, 0, -1e30, -200, 1, -Infinity, 5, 7, 3, 7, 7, -1][i]!);
    const e = 1 / (1 + Math.exp(-1));
    await check(
      { op: 'softmax', inputs: [{ ...x, shape: [1, 6] }], output: { shape: [1, 6] } },
      (i) => [0, 1 - e, 0, 0, e, 0][i]!,
    );
    await check({ op: 'argmax', inputs: [x], output: { shape: [2], dtype: 'i32' } }, (i) => [4, 1][i]!);
  });
});

describe('rope', () => {
  const cases: [number[], number, number[]?][] = [
    [[1, 1, 1, 2], 1],
    [[2, 3, 4, 8], 4],
    [[2, 3, 4, 8], 2, [96, 32, 8, 1]],
    [[1, 70, 4, 64], 32],
    [[1, 5, 3, 20], 7, [400, 3, 1, 40]],
  ];
  for (const interleaved of [false, true])
    cases.forEach(([shape, half, strides]) =>
      test(`[${shape.join()}], ${half} pairs${interleaved ? ', interleaved' : ''}`, async () => {
        const [b, t, h, d] = shape as [number, number, number, number];
        const x = tensor(shape, strides);
        const tables = [b, t, h, half];
        const cos = tensor(tables, [0, half, 0, 1]);
        const sin = tensor(tables, [0, half, 0, 1]);
        await check({ op: 'rope', attrs: { interleaved }, inputs: [x, cos, sin], output: { shape } }, (i) => {
          const at = i % d;
          if (at >= 2 * half) return elementAt(x, i);
          const pair = interleaved ? at >> 1 : at % half;
          const second = interleaved ? at % 2 === 1 : at >= half;
          const other = interleaved ? (second ? i - 1 : i + 1) : second ? i - half : i + half;
          const angle = Math.floor(i / d) * half + pair;
          const [c, s] = [elementAt(cos, angle), elementAt(sin, angle)];
          return elementAt(x, i) * c + (second ? 1 : -1) * elementAt(x, other) * s;
        });
      }),
    );
});

interface AttentionCase {
  readonly b?: number;
  readonly t?: number;
  readonly s?: number;
  readonly h?: number;
  readonly g?: number;
  readonly d?: number;
  readonly dv?: number;
  readonly attrs?: Attrs;
  readonly mask?: (b: number, h: number, t: number, s: number) => number;
  readonly maskStrides?: number[];
  readonly bias?: boolean;
  readonly start?: number;
  readonly keys?: number;
}

async function checkAttention(c: AttentionCase): Promise<void> {
  const { b = 2, t = 3, s = 11, h = 4, g = h, d = 8, dv = d, bias: biased = false } = c;
  const scale = 1 / Math.sqrt(d);
  const start = c.start ?? 0;
  const keys = Math.min(c.keys ?? s, s);
  const window = c.attrs?.['window'] as number | undefined;
  const softcap = c.attrs?.['softcap'] as number | undefined;
  const positions = (i: number): [number, number, number, number] => [
    Math.floor(i / (s * t * h)),
    Math.floor(i / (s * t)) % h,
    Math.floor(i / s) % t,
    i % s,
  ];
  // Merged projections: q and k|v are parts of wider rows.
  const q = tensor([b, t, h, d], [t * h * (d + 5), h * (d + 5), d + 5, 1]);
  const mask =
    c.mask &&
    operand([b, h, t, s], (i) => c.mask!(...positions(i)), {
      dtype: 'i32',
      ...(c.maskStrides && { strides: c.maskStrides }),
    });
  const bias = biased ? tensor([b, h, t, s]) : undefined;
  const visible = (n: number, hd: number, query: number, key: number): boolean =>
    key < keys &&
    (!c.attrs?.['causal'] || key <= query + start) &&
    (window === undefined || Math.abs(query + start - key) < window) &&
    (!c.mask || c.mask(n, hd, query, key) !== 0);
  const seen = (n: number, key: number): boolean => {
    for (let hd = 0; hd < h; hd++) for (let query = 0; query < t; query++) if (visible(n, hd, query, key)) return true;
    return false;
  };
  // What nobody sees is NaN: it must not be multiplied in.
  const cache = (size: number): Operand => {
    const strides = [s * g * size * 2, g * size * 2, size, 1];
    return operand(
      [b, s, g, size],
      (i) => (seen(Math.floor(i / (s * g * size)), Math.floor(i / (g * size)) % s) ? normal() : NaN),
      { strides },
    );
  };
  const k = cache(d);
  const v = cache(dv);
  const want = new Map<number, number[]>();
  for (let n = 0; n < b; n++)
    for (let query = 0; query < t; query++)
      for (let hd = 0; hd < h; hd++) {
        const group = Math.floor((hd * g) / h);
        const scores: [number, number][] = [];
        for (let key = 0; key < s; key++) {
          if (!visible(n, hd, query, key)) continue;
          let score = 0;
          for (let i = 0; i < d; i++)
            score +=
              elementAt(q, ((n * t + query) * h + hd) * d + i) * elementAt(k, ((n * s + key) * g + group) * d + i);
          score *= scale;
          if (softcap) score = softcap * Math.tanh(score / softcap);
          if (bias) score += elementAt(bias, ((n * h + hd) * t + query) * s + key);
          scores.push([key, score]);
        }
        const top = Math.max(...scores.map(([, x]) => x));
        const total = sum(scores.map(([, x]) => Math.exp(x - top)));
        want.set(
          (n * t + query) * h + hd,
          Array.from({ length: dv }, (_, i) =>
            sum(
              scores.map(
                ([key, x]) => (Math.exp(x - top) / total) * elementAt(v, ((n * s + key) * g + group) * dv + i),
              ),
            ),
          ),
        );
      }
  await check(
    {
      op: 'attention',
      attrs: {
        scale,
        causal: false,
        mask: mask !== undefined,
        bias: biased,
        ...c.attrs,
        start: { scalar: 0 },
        keys: { scalar: 1 },
      },
      inputs: [q, k, v, ...(mask ? [mask] : []), ...(bias ? [bias] : [])],
      output: { shape: [b, t, h, dv] },
      scalars: [
        { name: 'start', dtype: 'i32', value: start },
        { name: 'keys', dtype: 'i32', value: c.keys ?? s },
      ],
    },
    (i) => want.get(Math.floor(i / dv))![i % dv]!,
    5e-6,
  );
}

describe('attention', () => {
  const padding = (lengths: number[]) => (b: number, _h: number, _t: number, s: number) => (s < lengths[b]! ? 1 : 0);
  const cases: Record<string, AttentionCase> = {
    plain: {},
    'one query, one key': { b: 1, t: 1, s: 1, h: 1 },
    'heads of 32, many keys': { d: 32, s: 77, t: 9 },
    'heads of 4, of 5, of 43': { d: 4 },
    'heads of 5': { d: 5, dv: 7 },
    'heads of 43': { d: 43, dv: 70, s: 6 },
    'grouped heads': { h: 8, g: 2 },
    'decoding: one query, a cache longer than its contents': { t: 1, s: 40, attrs: { causal: true }, start: 12 },
    'causal from the start': { t: 11, s: 11, attrs: { causal: true } },
    'fewer keys': { keys: 5 },
    'no keys': { keys: 0 },
    'a query before the first key': { attrs: { causal: true }, start: -2 },
    'a window, causal': { t: 9, s: 16, attrs: { causal: true, window: 4 }, start: 7 },
    'a window both ways': { t: 9, s: 9, attrs: { window: 3 } },
    'soft cap': { attrs: { softcap: 0.7 } },
    bias: { bias: true },
    'a padding mask': { mask: padding([4, 9]), maskStrides: [12, 0, 0, 1] },
    'a padding mask that hides all': { mask: padding([0, 9]), maskStrides: [12, 0, 0, 1] },
    'a mask with holes, and a bias': { mask: (b, h, t, s) => (b * 7 + h * 3 + t * 5 + s * 11) % 3, bias: true },
    'a mask, causal': { t: 11, mask: padding([7, 3]), maskStrides: [12, 0, 0, 1], attrs: { causal: true } },
    'one query of grouped heads, several blocks of keys': { t: 1, s: 150, h: 9, g: 3, d: 64, keys: 141 },
    'several blocks of keys, a bias, causal': {
      t: 5,
      s: 141,
      d: 48,
      dv: 52,
      bias: true,
      attrs: { causal: true },
      start: 136,
    },
    'several blocks of keys, a mask with holes': { t: 3, s: 150, mask: (b, _h, _t, s) => (b + s) % 3 },
    'work for two threads': { t: 40, s: 40, d: 32, attrs: { causal: true } },
  };
  for (const [name, made] of Object.entries(cases)) test(name, () => checkAttention(made));
  test('what a query gives depends neither on its neighbours nor on the heads beside its own', async () => {
    const [t, h, s, d] = [5, 3, 130, 40];
    const q = tensor([1, t, h, d]);
    const [k, v] = [tensor([1, s, 1, d]), tensor([1, s, 1, d])];
    const attend = (backend: Backend, query: Operand): Promise<Operand> =>
      runCase(backend, {
        op: 'attention',
        attrs: { scale: 0.2, causal: false, mask: false, bias: false, start: 0, keys: s },
        inputs: [query, k, v],
        output: { shape: query.shape },
      });
    for (const backend of Object.values(backends)) {
      const all = await attend(backend, q);
      for (let row = 0; row < t * h; row++) {
        const alone = await attend(backend, { ...q, shape: [1, 1, 1, d], offset: q.offset + row * d });
        for (let i = 0; i < d; i++) expect(elementAt(alone, i)).toBe(elementAt(all, row * d + i));
      }
    }
  });
});
