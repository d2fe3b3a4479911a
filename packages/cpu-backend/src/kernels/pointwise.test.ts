// Expressions: every function against f64 over wide samples with a stated error bound, integers exactly, all ways in which inputs
// and outputs can lie in memory, and random expressions.
import { expr, reference } from '@transept/tensor';
import type { Backend, ComputeType, Expr, ScalarFn } from '@transept/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { elementAt, everyVariant, operand, randomNumbers, runCase } from './fixture.ts';
import type { CallCase, Operand } from './fixture.ts';

const oracle = reference();
let backends: Record<string, Backend>;
beforeAll(async () => {
  backends = await everyVariant();
});
afterAll(() => {
  for (const backend of Object.values(backends)) backend[Symbol.dispose]();
});

const random = randomNumbers(2);
const { apply, cast, constant, index, input } = expr;

/** Distance in units in the last place of an f32 around `want`; subnormal results count in units of the smallest normal's. */
function ulps(got: number, want: number): number {
  const rounded = Math.fround(want);
  if (Object.is(got, rounded) || (Number.isNaN(got) && Number.isNaN(want)) || got === rounded) return 0;
  if (!Number.isFinite(rounded) && Math.abs(got) >= 3.4e38) return Math.abs(want) > 3.4e38 ? 0 : Infinity;
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(want) || 1e-45)));
  return Math.abs(got - want) / 2 ** (exponent - 23);
}

const word = new Uint32Array(1);
function bitsToFloat(bits: number): number {
  word[0] = bits;
  return new Float32Array(word.buffer)[0]!;
}

function erf(x: number): number {
  // Series below 3, continued fraction above: both to f64 precision.
  const t = Math.abs(x);
  if (t < 3) {
    let sum = t;
    for (let n = 1, term = t; n < 200; n++) sum += (term *= (-t * t) / n) / (2 * n + 1);
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let f = 0;
  for (let k = 60; k > 0; k--) f = k / 2 / (t + f);
  return Math.sign(x) * (1 - Math.exp(-t * t) / Math.sqrt(Math.PI) / (t + f));
}

describe('functions of one number stay within their error bound, in ULP', () => {
  const special = [0, -0, Infinity, -Infinity, NaN, 1, -1, 1e-40, -1e-40, 3e38, -3e38, 0.5, 2];
  const wide = (): number => (random() - 0.5) * 2 ** (random() * 60 - 30);
  const within = (limit: number) => (): number => (random() * 2 - 1) * limit;
  const cases: [ScalarFn, (x: number) => number, () => number, number][] = [
    ['exp', Math.exp, within(105), 1.5],
    ['exp', Math.exp, within(1), 1.5],
    ['log', Math.log, () => 2 ** (random() * 250 - 125), 1],
    ['log', Math.log, () => 0.5 + random(), 1],
    ['sqrt', Math.sqrt, () => Math.abs(wide()), 0.5],
    ['rsqrt', (x) => 1 / Math.sqrt(x), () => Math.abs(wide()), 1.5],
    ['tanh', Math.tanh, within(10), 2],
    ['tanh', Math.tanh, wide, 2],
    ['erf', erf, within(5), 2],
    ['erf', erf, wide, 2],
    ['sin', Math.sin, within(10), 2],
    ['sin', Math.sin, within(1e5), 2],
    ['sin', Math.sin, within(2 ** 27), 2],
    ['cos', Math.cos, within(10), 2],
    ['cos', Math.cos, within(1e5), 2],
    ['cos', Math.cos, within(2 ** 27), 2],
    ['floor', Math.floor, wide, 0],
    ['ceil', Math.ceil, wide, 0],
    ['neg', (x) => -x, wide, 0],
    ['abs', Math.abs, wide, 0],
    ['sign', Math.sign, wide, 0],
  ];
  const n = 20000;
  cases.forEach(([fn, exact, sample, bound], i) =>
    test(`${fn} #${i}: ${bound}`, async () => {
      const x = operand([n], (at) => special[at] ?? sample());
      for (const [name, backend] of Object.entries(backends)) {
        if (name.endsWith('2')) continue;
        const y = await runCase(backend, {
          op: 'pointwise',
          attrs: { expr: apply(fn, input(0)) },
          inputs: [x],
          output: { shape: [n] },
        });
        let worst = { error: -1, x: 0, y: 0 };
        for (let at = 0; at < n; at++) {
          const value = elementAt(x, at);
          if ((fn === 'sin' || fn === 'cos') && Math.abs(value) > 2 ** 28) continue;
          const error = ulps(elementAt(y, at), exact(value));
          if (!(error <= worst.error)) worst = { error, x: value, y: elementAt(y, at) };
        }
        expect(worst.error, `${name}: ${fn}(${worst.x}) = ${worst.y}`).toBeLessThanOrEqual(bound + 0.001);
      }
    }),
  );
  /** Of every so many f32, both signs: all exponents, 128 or more numbers each. */
  const step = Number(process.env['TRANSEPT_SWEEP_STEP'] ?? 65521);
  const sweep = operand([Math.ceil(2 ** 32 / step)], (i) => bitsToFloat(i * step));
  const sigmoid = apply('div', constant(1), apply('add', constant(1), apply('exp', apply('neg', input(0)))));
  const swept: [string, Expr, (x: number) => number, number][] = [
    ['exp', apply('exp', input(0)), Math.exp, 1.5],
    ['log', apply('log', input(0)), Math.log, 1],
    ['tanh', apply('tanh', input(0)), Math.tanh, 2],
    ['erf', apply('erf', input(0)), erf, 2],
    ['sigmoid', sigmoid, (x) => 1 / (1 + Math.exp(-x)), 3],
  ];
  test.each(swept)('%s of every so many f32', async (name, expr, exact, bound) => {
    const wants = Float64Array.from({ length: sweep.shape[0]! }, (_, i) => exact(elementAt(sweep, i)));
    for (const simd of ['relaxed, 1', 'plain, 1']) {
      const y = await runCase(backends[simd]!, {
        op: 'pointwise',
        attrs: { expr },
        inputs: [sweep],
        output: { shape: sweep.shape },
      });
      let worst = { error: -1, i: 0 };
      wants.forEach((want, i) => {
        const got = elementAt(y, i);
        const gone = got === 0 && Math.abs(want) < 2 ** -126; // 1 / overflow
        const error = gone ? 0 : ulps(got, want);
        if (!(error <= worst.error)) worst = { error, i };
      });
      const at = `${simd}: ${name}(${elementAt(sweep, worst.i)}) = ${elementAt(y, worst.i)}`;
      if (process.env['TRANSEPT_SWEEP_STEP']) console.log(`${at}: ${worst.error.toFixed(2)} ULP`);
      expect(worst.error, at).toBeLessThanOrEqual(bound);
    }
  });
  test('the exponential of softmax', async () => {
    const x = operand([20000, 2], (i) => (i % 2 ? 0 : -(random() ** 2) * 100));
    for (const simd of ['relaxed, 1', 'plain, 1']) {
      const y = await runCase(backends[simd]!, { op: 'softmax', inputs: [x], output: { shape: x.shape } });
      for (let i = 0; i < x.shape[0]!; i++) {
        const want = 1 / (1 + Math.exp(-elementAt(x, 2 * i)));
        const got = elementAt(y, 2 * i);
        if (want >= 2 ** -125) expect(ulps(got, want), `${simd}: ${elementAt(x, 2 * i)}`).toBeLessThanOrEqual(4);
        else expect(Math.abs(got - want)).toBeLessThanOrEqual(2 ** -125);
      }
    }
  });
  test('sin and cos of huge numbers stay in [-1, 1]', async () => {
    const x = operand([1000], (i) => 2 ** (28 + i / 10));
    for (const backend of Object.values(backends))
      for (const fn of ['sin', 'cos'] as const) {
        const made: CallCase = {
          op: 'pointwise',
          attrs: { expr: apply(fn, input(0)) },
          inputs: [x],
          output: { shape: [1000] },
        };
        const y = await runCase(backend, made);
        for (let i = 0; i < 1000; i++) expect(Math.abs(elementAt(y, i))).toBeLessThanOrEqual(1);
      }
  });
});

/** Run on all backends; each element within `tolerance` (relative, from 1 on) of the reference; the same bits on two threads. */
async function check(made: CallCase, tolerance = 0): Promise<void> {
  const want = await runCase(oracle, made);
  for (const [name, backend] of Object.entries(backends)) {
    const got = await runCase(backend, made);
    for (let i = 0; i < want.storage.length; i++) {
      const [x, y] = [got.storage[i]!, want.storage[i]!];
      if (Object.is(x, y) || x === y || Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(y))) continue;
      expect.fail(`${name}: element ${i} of ${got.storage.length} (view from ${got.offset}): ${x}, expected ${y}`);
    }
  }
}

describe('functions of two numbers', () => {
  const wide = (): number => (random() < 0.1 ? Math.round(random() * 4) : (random() - 0.5) * 2 ** (random() * 20 - 10));
  const a = operand([1003], wide);
  const b = operand([1003], wide);
  for (const fn of ['add', 'sub', 'mul', 'div', 'mod', 'max', 'min', 'less', 'lessEqual', 'equal'] as const)
    test(fn, () =>
      check({
        op: 'pointwise',
        attrs: { expr: apply(fn, input(0), input(1)) },
        inputs: [a, b],
        output: { shape: [1003], dtype: fn.startsWith('less') || fn === 'equal' ? 'i32' : 'f32' },
      }),
    );
  test('pow within 1 ULP, and its special cases', async () => {
    const special = [0, -0, 1, -1, 2, -2, 0.5, 3, -3, Infinity, -Infinity, 1e-40, 7.5];
    const s = special.length;
    const x = operand([2000], (i) => (i < s * s ? special[i % s]! : Math.exp((random() - 0.5) * 20)));
    const y = operand([2000], (i) => (i < s * s ? special[Math.floor(i / s)]! : (random() - 0.5) * 16));
    for (const [name, backend] of Object.entries(backends)) {
      const made: CallCase = {
        op: 'pointwise',
        attrs: { expr: apply('pow', input(0), input(1)) },
        inputs: [x, y],
        output: { shape: [2000] },
      };
      const z = await runCase(backend, made);
      for (let i = 0; i < 2000; i++) {
        const [base, power] = [elementAt(x, i), elementAt(y, i)];
        if (base < 0 && !Number.isInteger(power)) continue;
        // IEEE, and C, give 1 where JavaScript gives NaN.
        const want = Math.abs(base) === 1 && !Number.isFinite(power) ? 1 : Math.pow(base, power);
        expect(
          ulps(elementAt(z, i), want),
          `${name}: ${base}^${power} = ${elementAt(z, i)}, not ${want}`,
        ).toBeLessThanOrEqual(1);
      }
    }
  });
  test('round', () =>
    check({
      op: 'pointwise',
      attrs: { expr: apply('round', input(0)) },
      inputs: [operand([40], (i) => i / 4 - 5)],
      output: { shape: [40] },
    }));
});

describe('integers', () => {
  const some = [0, 1, -1, 2, 7, -7, 31, 2 ** 31 - 1, -(2 ** 31), 12345, -99999];
  for (const dtype of ['i32', 'u32'] as const) {
    const value = (x: number): number => (dtype === 'u32' ? x >>> 0 : x);
    const n = some.length;
    const a = operand([n * n], (i) => value(some[i % n]!), { dtype });
    const b = operand([n * n], (i) => value(some[Math.floor(i / n)]!), { dtype });
    const binary = ['add', 'sub', 'mul', 'div', 'mod', 'max', 'min', 'and', 'or', 'xor'] as const;
    test(`${dtype}`, async () => {
      for (const fn of binary)
        await check({
          op: 'pointwise',
          attrs: { expr: apply(fn, input(0), input(1)) },
          inputs: [a, b],
          output: { shape: [n * n], dtype },
        });
      for (const fn of ['less', 'lessEqual', 'equal'] as const)
        await check({
          op: 'pointwise',
          attrs: { expr: apply(fn, input(0), input(1)) },
          inputs: [a, b],
          output: { shape: [n * n], dtype: 'i32' },
        });
      for (const fn of ['neg', 'abs', 'sign'] as const)
        await check({
          op: 'pointwise',
          attrs: { expr: apply(fn, input(0)) },
          inputs: [a],
          output: { shape: [n * n], dtype },
        });
      for (const fn of ['shiftLeft', 'shiftRight'] as const)
        await check({
          op: 'pointwise',
          attrs: { expr: apply(fn, input(0), apply('and', input(1), constant(31, dtype))) },
          inputs: [a, b],
          output: { shape: [n * n], dtype },
        });
      await check({ op: 'pointwise', attrs: { expr: cast('f32', input(0)) }, inputs: [a], output: { shape: [n * n] } });
    });
  }
  test('casts saturate', async () => {
    const x = operand([12], (i) => [NaN, 1e20, -1e20, 1.9, -1.9, 0, 3e9, -3e9, Infinity, -Infinity, 2147483647, 5][i]!);
    for (const dtype of ['i32', 'u32'] as const)
      await check({
        op: 'pointwise',
        attrs: { expr: cast(dtype, input(0)) },
        inputs: [x],
        output: { shape: [12], dtype },
      });
  });
});

describe('memory layouts', () => {
  const sum = apply('add', input(0), apply('mul', input(1), input(2)));
  const normal = (): number => random() - 0.5;
  const tensor = (shape: number[], strides?: number[]): Operand => operand(shape, normal, strides && { strides });
  const shapes: [number[], (number[] | undefined)[], number[]?][] = [
    [[1000], [undefined, [2], [0]]],
    [
      [50, 43],
      [undefined, [0, 1], [1, 0]],
    ],
    [
      [50, 43],
      [undefined, [1, 50], [0, 0]],
      [50, 1],
    ],
    [
      [7, 5, 3],
      [undefined, [0, 3, 1], [1, 7, 35]],
    ],
    [
      [7, 5, 3],
      [
        [1, 7, 35],
        [0, 0, 1],
        [15, 3, 1],
      ],
      [1, 8, 60],
    ],
    [
      [2, 3, 4, 5, 3, 2],
      [undefined, [0, 0, 30, 6, 2, 1], [1, 2, 6, 24, 120, 360]],
    ],
    [
      [20, 300],
      [undefined, [300, 1], [1, 0]],
      [400, 1],
    ],
    [[], [undefined, undefined, undefined]],
    [
      [0, 4],
      [undefined, undefined, undefined],
    ],
    [
      [1, 1, 600],
      [undefined, undefined, undefined],
    ],
    [
      [300, 4],
      [undefined, [0, 1], [4, 1]],
    ],
    [[30000], [undefined, undefined, undefined]],
  ];
  shapes.forEach(([shape, strides, out], i) =>
    test(`#${i}: [${shape.join()}]`, () =>
      check(
        {
          op: 'pointwise',
          attrs: { expr: sum },
          inputs: strides.map((s) => tensor(shape, s)),
          output: { shape, ...(out && { strides: out }) },
        },
        1e-7,
      )),
  );
  test('positions and scalars', () =>
    check({
      op: 'pointwise',
      attrs: {
        expr: apply(
          'select',
          apply('less', index(2), apply('add', index(0), { kind: 'scalar', scalar: 0 })),
          apply('mul', cast('f32', index(1)), { kind: 'scalar', scalar: 1 }),
          input(0),
        ),
      },
      inputs: [tensor([5, 6, 70])],
      output: { shape: [5, 6, 70] },
      scalars: [
        { name: 'start', dtype: 'i32', value: 20 },
        { name: 'scale', dtype: 'f32', value: 0.5 },
      ],
    }));
  test('an input as it is, a constant', async () => {
    await check({ op: 'pointwise', attrs: { expr: input(0) }, inputs: [tensor([43])], output: { shape: [43] } });
    await check({ op: 'pointwise', attrs: { expr: constant(7) }, inputs: [], output: { shape: [43] } });
  });
});

test('random expressions', async () => {
  const unary: ScalarFn[] = ['neg', 'abs', 'tanh', 'sin', 'cos', 'erf', 'floor'];
  const binary: ScalarFn[] = ['add', 'sub', 'mul', 'max', 'min'];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const grow = (depth: number): Expr => {
    if (depth === 0 || random() < 0.1) {
      const leaf = random();
      if (leaf < 0.6) return input(Math.floor(random() * 3));
      return leaf < 0.8 ? constant(random() * 4 - 2) : cast('f32', index(Math.floor(random() * 2)));
    }
    const kind = random();
    if (kind < 0.35) return apply(pick(unary), grow(depth - 1));
    if (kind < 0.85) return apply(pick(binary), grow(depth - 1), grow(depth - 1));
    return apply('select', apply('less', grow(depth - 1), grow(depth - 1)), grow(depth - 1), grow(depth - 1));
  };
  const dtype: ComputeType = 'f32';
  for (let round = 0; round < 60; round++) {
    const shape = [1 + Math.floor(random() * 12), 1 + Math.floor(random() * 90)];
    const layouts = [undefined, { strides: [0, 1] }, { strides: [1, 0] }, { strides: [1, shape[0]!] }];
    const inputs = [0, 1, 2].map(() => operand(shape, () => Math.round(random() * 64 - 32) / 16, pick(layouts)));
    // Where an argument of floor or less is off by a rounding, the results have nothing in common: compare only most elements.
    const made: CallCase = { op: 'pointwise', attrs: { expr: grow(5) }, inputs, output: { shape, dtype } };
    const want = await runCase(oracle, made);
    for (const backend of Object.values(backends)) {
      const got = await runCase(backend, made);
      let off = 0;
      want.storage.forEach((y, i) => {
        const x = got.storage[i]!;
        if (!(Object.is(x, y) || Math.abs(x - y) <= 1e-4 * Math.max(1, Math.abs(y)))) off++;
      });
      expect(off, `${expr.formatExpr(made.attrs!['expr'] as Expr)} over [${shape.join()}]`).toBeLessThanOrEqual(
        Math.ceil(want.storage.length / 100),
      );
    }
  }
});
