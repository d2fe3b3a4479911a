// The oracle: its values against plain formulas in f64, and its bounds against what f32 really does.
import {
  activation,
  add,
  attention,
  div,
  exp,
  layerNorm,
  linear,
  log,
  lower,
  matmul,
  mul,
  pow,
  reference,
  softmax,
  sqrt,
  sub,
  sum,
  trace,
} from '@transept/tensor';
import type { Graph, Tensor } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { exact } from './bounded.ts';
import type { Cells } from './cells.ts';
import { floatFunction } from './functions.ts';
import { Oracle } from './oracle.ts';
import { compileBounded } from './expression.ts';

const random = new Random(5);
const numbers = (count: number, low = -1, high = 1): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, () => random.uniform(low, high));

function ask(
  build: (g: Graph) => Tensor,
  contents: Record<string, ArrayLike<number>>,
  arithmetic: 'ieee' | 'wgsl' = 'ieee',
): Cells {
  const oracle = new Oracle(
    trace('t', (g) => ({ out: build(g) })),
    arithmetic,
  );
  for (const [name, values] of Object.entries(contents)) oracle.write(name, values);
  oracle.run();
  return oracle.read('out');
}

const width = ({ low, high }: Cells): number => Math.max(...high.map((h, i) => h - low[i]!));

describe('values', () => {
  it('softmax', () => {
    const x = numbers(30, -5, 5);
    const { value } = ask((g) => softmax(g.input('x', [3, 10])), { x });
    for (let r = 0; r < 3; r++) {
      const row = [...x.slice(10 * r, 10 * r + 10)].map(Math.exp);
      const total = row.reduce((a, b) => a + b);
      row.forEach((e, i) => expect(value[10 * r + i]).toBeCloseTo(e / total, 14));
    }
  });

  it('erf to f64', () => {
    const erf = floatFunction('erf');
    // Abramowitz & Stegun, table 7.1, and one value beyond.
    expect(erf(0.5)).toBeCloseTo(0.5204998778130465, 14);
    expect(erf(-1)).toBeCloseTo(-0.8427007929497149, 14);
    expect(erf(2.9)).toBeCloseTo(0.9999589021219005, 14);
    expect(erf(3.5)).toBeCloseTo(0.9999992569016276, 14);
  });

  it('halves go to the even neighbour', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 2.4, 8388609].map((x) => floatFunction('round')(x) + 0)).toEqual([
      0, 2, 2, 0, -2, -2, 2, 8388609,
    ]);
  });
});

describe('bounds', () => {
  /** Each with every operation rounded to f32 by hand, in an order that a kernel may have. */
  it('hold what f32 gives, and little more', () => {
    const [a, b] = [numbers(8 * 100), numbers(100 * 4)];
    const cells = ask((g) => matmul(g.input('a', [8, 100]), g.input('b', [100, 4])), { a, b });
    for (let i = 0; i < 8; i++)
      for (let j = 0; j < 4; j++) {
        let total = 0;
        for (let k = 99; k >= 0; k--) total = Math.fround(total + Math.fround(a[i * 100 + k]! * b[k * 4 + j]!));
        expect(total).toBeGreaterThanOrEqual(cells.low[i * 4 + j]!);
        expect(total).toBeLessThanOrEqual(cells.high[i * 4 + j]!);
      }
    // γ(102) of a sum of at most 100.
    expect(width(cells)).toBeLessThan(2 * 102 * 2 ** -24 * 101);
  });

  it('grow with what an error does later', () => {
    const x = Float32Array.of(1.0001);
    const plain = width(ask((g) => log(g.input('x', [1])), { x }));
    const later = width(ask((g) => exp(mul(log(g.input('x', [1])), 20)), { x }));
    expect(later).toBeGreaterThan(15 * plain);
  });

  it('are wider where the arithmetic is', () => {
    const build = (g: Graph): Tensor => activation('gelu', g.input('x', [40]));
    const x = numbers(40, -3, 3);
    expect(width(ask(build, { x }, 'wgsl'))).toBeGreaterThan(10 * width(ask(build, { x })));
  });

  it('are none for whole numbers', () => {
    const x = Int32Array.of(5, -7, 2 ** 31 - 1);
    const cells = ask((g) => add(mul(g.input('x', [3], 'i32'), 3), 1), { x });
    expect(Array.from(cells.value)).toEqual([16, -20, 2147483646]);
    expect(width(cells)).toBe(0);
  });

  it('say nothing of a quotient whose divisor may be 0', () => {
    const cells = ask((g) => div(1, sub(sum(g.input('x', [1, 3])), 0.6)), { x: Float32Array.of(0.1, 0.2, 0.3) });
    expect([cells.low[0], cells.high[0]]).toEqual([-Infinity, Infinity]);
  });

  it('keep NaN and infinities apart', () => {
    const x = Float32Array.of(NaN, Infinity, -Infinity, -4, 0);
    expect(Array.from(ask((g) => sqrt(g.input('x', [5])), { x }).low)).toEqual([NaN, Infinity, NaN, NaN, 0]);
  });

  it('hold for powers', () => {
    const cells = ask((g) => pow(g.input('x', [2]), g.input('y', [2])), {
      x: Float32Array.of(1.5, 1e-3),
      y: Float32Array.of(20, -3),
    });
    [Math.fround(1.5) ** 20, Math.fround(1e-3) ** -3].forEach((exactly, i) => {
      expect(cells.value[i]).toBeCloseTo(exactly, 3);
      expect((cells.high[i]! - cells.low[i]!) / exactly).toBeLessThan(1e-4);
    });
  });

  it('are tight enough to see f16 in whole operations', () => {
    const contents = {
      x: numbers(256),
      w: numbers(64, 0.5, 1.5),
      b: numbers(64),
      q: numbers(64),
      k: numbers(320),
      v: numbers(320),
    };
    for (const build of [
      (g: Graph) => layerNorm(g.input('x', [4, 64]), g.input('w', [64]), g.input('b', [64]), 1e-5),
      (g: Graph) =>
        attention(g.input('q', [1, 2, 4, 8]), g.input('k', [1, 10, 4, 8]), g.input('v', [1, 10, 4, 8]), {
          causal: true,
          start: 8,
        }),
      (g: Graph) => linear(g.input('x', [4, 64]), g.parameter('k', [5, 64])),
    ]) {
      const cells = ask(build, contents);
      const outside = cells.value.filter(
        (x, i) => Math.f16round(x) < cells.low[i]! || Math.f16round(x) > cells.high[i]!,
      );
      expect(outside.length).toBeGreaterThan(cells.value.length / 2);
    }
  });

  it('allow a subnormal number to count as 0', () => {
    const evaluate = compileBounded(
      { kind: 'input', index: 0 },
      { types: { inputs: ['f32'], scalars: [] }, arithmetic: 'wgsl' },
    );
    expect(evaluate({ inputs: [exact(2 ** -130)], position: [], scalars: [] })).toEqual({
      value: 2 ** -130,
      low: 0,
      high: 2 ** -130,
    });
  });
});

it('agrees with the reference backend about whole graphs', async () => {
  const traced = trace('t', (g) => {
    const x = g.input('x', [5, 24]);
    const h = activation('silu', linear(x, g.parameter('w', [16, 24])));
    return { out: softmax(linear(h, g.parameter('v', [7, 16]))) };
  });
  const contents = { x: numbers(120), w: numbers(384), v: numbers(112) };
  const oracle = new Oracle(traced, 'ieee');
  const backend = reference();
  const plan = lower(traced, backend);
  const bound = Object.fromEntries(
    plan.buffers.flatMap((b) => (b.kind === 'bound' ? [[b.name, backend.alloc(b.bytes)]] : [])),
  );
  for (const [name, values] of Object.entries(contents)) {
    oracle.write(name, values);
    backend.write(bound[name]!, values);
  }
  oracle.run();
  const program = await backend.load(plan, bound);
  program.run();
  const out = new Float32Array((await backend.read(bound['out']!)).buffer);
  const { low, high } = oracle.read('out');
  out.forEach((x, i) => expect(x >= low[i]! && x <= high[i]!).toBe(true));
});
