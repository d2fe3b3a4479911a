import { expr as e } from '@transept/tensor';
import type { Expr, ScalarFn } from '@transept/tensor';
import { expect, test } from 'vitest';
import { blank, expectClose, runCall } from '../testing/call.ts';
import { onDevice } from '../testing/device.ts';
import { random, tensor, values } from '../testing/tensors.ts';
import type { TestTensor } from '../testing/tensors.ts';

const f = Math.fround;
type Type = TestTensor['dtype'];

await onDevice('pointwise', (backend) => {
  const evaluate = (expr: Expr, inputs: TestTensor[], output = blank(inputs[0]!.shape)): Promise<number[]> =>
    runCall(backend, 'pointwise', inputs, { attrs: { expr }, output });
  const over = (fn: ScalarFn, xs: number[][], dtype: Type = 'f32', result: Type = dtype): Promise<number[]> =>
    evaluate(
      e.apply(fn, ...xs.map((_, i) => e.input(i))),
      xs.map((x) => tensor([x.length], (i) => x[i]!, { dtype })),
      blank([xs[0]!.length], { dtype: result }),
    );

  test('views of any strides, offsets, broadcast axes and a strided output', async () => {
    const next = random();
    const a = tensor([3, 5, 7], next, { order: [2, 0, 1], offset: 3 });
    const b = tensor([3, 5, 7], next, { broadcast: [0, 2], gap: 2 });
    const output = blank([3, 5, 7], { pitch: 4, gap: 1, offset: 5 });
    const got = await evaluate(e.apply('add', e.apply('mul', e.input(0), e.input(1)), e.constant(0.5)), [a, b], output);
    const [av, bv] = [values(a), values(b)];
    expectClose(
      got,
      av.map((x, i) => x * bv[i]! + 0.5),
      1e-6,
    );
  });

  test('positions of the output element', async () => {
    const x = tensor([4, 3, 5], () => 0);
    const expr = e.apply(
      'add',
      e.apply('mul', e.index(0), e.constant(100, 'i32')),
      e.apply('add', e.apply('mul', e.index(1), e.constant(10, 'i32')), e.index(2)),
    );
    const got = await evaluate(expr, [x], blank([4, 3, 5], { dtype: 'i32' }));
    expect(got).toEqual(got.map((_, i) => Math.floor(i / 15) * 100 + (Math.floor(i / 5) % 3) * 10 + (i % 5)));
  });

  test('scalars of every type', async () => {
    const x = tensor([5], (i) => i);
    const expr = e.apply(
      'add',
      e.apply('mul', e.input(0), { kind: 'scalar', scalar: 1 }),
      e.cast('f32', e.apply('add', { kind: 'scalar', scalar: 0 }, e.cast('i32', { kind: 'scalar', scalar: 2 }))),
    );
    const scalars = [
      { name: 'i', dtype: 'i32', value: -7 },
      { name: 'f', dtype: 'f32', value: 0.25 },
      { name: 'u', dtype: 'u32', value: 2 ** 32 - 1 },
    ] as const;
    const got = await runCall(backend, 'pointwise', [x], { attrs: { expr }, output: blank([5]), scalars });
    expect(got).toEqual([0, 1, 2, 3, 4].map((i) => i * 0.25 - 8));
  });

  const span = Array.from({ length: 4001 }, (_, i) => f((i - 2000) / 200));
  const accuracy: [ScalarFn, (x: number) => number, number[], number, number][] = [
    ['tanh', Math.tanh, [...span, 89, -89, 1e10, -1e30, 1e-6], 2e-7, 1e-6],
    ['erf', erf, [...span, 30, -1e20], 5e-7, 0],
    ['exp', Math.exp, span, 0, 3e-6],
    ['log', Math.log, span.map((x) => Math.exp(x)).map(f), 5e-7, 1e-6],
    ['sqrt', Math.sqrt, span.map(Math.abs), 1e-30, 1e-6],
    ['rsqrt', (x) => 1 / Math.sqrt(x), span.map((x) => Math.abs(x) + 0.001).map(f), 0, 1e-6],
    ['sin', Math.sin, [...span, ...span.map((x) => f(x * 100))], 3e-7, 0],
    ['cos', Math.cos, [...span, ...span.map((x) => f(x * 100))], 3e-7, 0],
    ['floor', Math.floor, span, 0, 0],
    ['ceil', Math.ceil, span, 0, 0],
    ['abs', Math.abs, span, 0, 0],
    ['neg', (x) => -x, span, 0, 0],
    ['sign', Math.sign, span, 0, 0],
    ['round', halfEven, [...span, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5], 0, 0],
  ];
  test.each(accuracy)('%s', async (fn, exact, xs, absolute, relative) => {
    expectClose(await over(fn, [xs]), xs.map(exact), absolute, relative);
  });

  test('pow: whole, fractional and negative', async () => {
    const x = [2, -2, -3, 0, 0, 5, 1.5, 9, -2, 0.1];
    const y = [10, 3, 2, 0, 2, 0, 2.5, 0.5, -1, -3];
    expectClose(
      await over('pow', [x, y]),
      x.map((v, i) => f(v) ** y[i]!),
      0,
      5e-6,
    );
    for (const power of [2, 3, 0.5, -1, -2])
      expectClose(
        await evaluate(e.apply('pow', e.input(0), e.constant(power)), [tensor([3], (i) => i + 0.5)]),
        [0.5, 1.5, 2.5].map((v) => v ** power),
        0,
        1e-6,
      );
  });

  test('mod has the sign of the dividend', async () => {
    const x = [5, -5, 5, -5, 7.5, 1e6, 6, -6, 0.3];
    const y = [3, 3, -3, -3, 2.5, 7, 3, 3, 0.1];
    expectClose(
      await over('mod', [x, y]),
      x.map((v, i) => f(v) % f(y[i]!)),
      1e-6,
    );
    expect(
      await over(
        'mod',
        [
          [7, -7, 7, 5, -(2 ** 31)],
          [3, 3, -3, 0, -1],
        ],
        'i32',
      ),
    ).toEqual([1, -1, 1, 0, 0]);
    expect(
      await over(
        'mod',
        [
          [7, 2 ** 32 - 1, 5],
          [4, 10, 0],
        ],
        'u32',
      ),
    ).toEqual([3, 5, 0]);
  });

  test('integers wrap, truncate and survive division by zero', async () => {
    const a = [7, -7, 2 ** 31 - 1, 5, -(2 ** 31)];
    const b = [2, 2, 1, 0, -1];
    expect(await over('div', [a, b], 'i32')).toEqual([3, -3, 2 ** 31 - 1, 0, -(2 ** 31)]);
    expect(await over('add', [a, b], 'i32')).toEqual([9, -5, -(2 ** 31), 5, 2 ** 31 - 1]);
    expect(await over('mul', [a, [65537, 3, 3, 1, 1]], 'i32')).toEqual([7 * 65537, -21, 2 ** 31 - 3, 5, -(2 ** 31)]);
    expect(
      await over(
        'div',
        [
          [2 ** 32 - 1, 9],
          [2, 0],
        ],
        'u32',
      ),
    ).toEqual([2 ** 31 - 1, 0]);
    expect(await over('neg', [[1, 0]], 'u32')).toEqual([2 ** 32 - 1, 0]);
    expect(
      await evaluate(
        e.apply('div', e.constant(5, 'i32'), e.constant(0, 'i32')),
        [tensor([1], () => 0)],
        blank([1], { dtype: 'i32' }),
      ),
    ).toEqual([0]);
  });

  test('casts saturate and truncate; integer casts keep the bits', async () => {
    const x = [1.9, -1.9, 3e9, -3e9, 5e9, -1, 0];
    const t = tensor([x.length], (i) => x[i]!);
    expect(await evaluate(e.cast('i32', e.input(0)), [t], blank([x.length], { dtype: 'i32' }))).toEqual([
      1,
      -1,
      2 ** 31 - 1,
      -(2 ** 31),
      2 ** 31 - 1,
      -1,
      0,
    ]);
    expect(await evaluate(e.cast('u32', e.input(0)), [t], blank([x.length], { dtype: 'u32' }))).toEqual([
      1,
      0,
      3e9,
      0,
      2 ** 32 - 1,
      0,
      0,
    ]);
    const i = tensor([2], (n) => [-1, 5][n]!, { dtype: 'i32' });
    expect(await evaluate(e.cast('u32', e.input(0)), [i], blank([2], { dtype: 'u32' }))).toEqual([2 ** 32 - 1, 5]);
    expect(await evaluate(e.cast('f32', e.input(0)), [i])).toEqual([-1, 5]);
  });

  test('comparisons, selection, bits and shifts', async () => {
    expect(
      await over(
        'less',
        [
          [1, 2, 3],
          [2, 2, 2],
        ],
        'f32',
        'i32',
      ),
    ).toEqual([1, 0, 0]);
    expect(
      await over(
        'lessEqual',
        [
          [1, 2, 3],
          [2, 2, 2],
        ],
        'i32',
      ),
    ).toEqual([1, 1, 0]);
    expect(
      await over(
        'equal',
        [
          [1, 2, 3],
          [2, 2, 2],
        ],
        'i32',
      ),
    ).toEqual([0, 1, 0]);
    expect(
      await over(
        'and',
        [
          [12, 7],
          [10, 8],
        ],
        'i32',
      ),
    ).toEqual([8, 0]);
    expect(
      await over(
        'or',
        [
          [12, 7],
          [10, 8],
        ],
        'u32',
      ),
    ).toEqual([14, 15]);
    expect(
      await over(
        'xor',
        [
          [12, 7],
          [10, 8],
        ],
        'i32',
      ),
    ).toEqual([6, 15]);
    expect(
      await over(
        'shiftLeft',
        [
          [1, 3],
          [31, 2],
        ],
        'i32',
      ),
    ).toEqual([-(2 ** 31), 12]);
    expect(
      await over(
        'shiftRight',
        [
          [-8, 8],
          [1, 2],
        ],
        'i32',
      ),
    ).toEqual([-4, 2]);
    expect(
      await over(
        'shiftRight',
        [
          [2 ** 32 - 8, 8],
          [1, 2],
        ],
        'u32',
      ),
    ).toEqual([2 ** 31 - 4, 2]);
    const select = e.apply('select', e.apply('less', e.input(0), e.constant(0)), e.constant(-Infinity), e.input(0));
    expect(await evaluate(select, [tensor([2], (i) => i - 0.5)])).toEqual([-Infinity, 0.5]);
  });
});

const halfEven = (x: number): number => (x % 1 === 0.5 || x % 1 === -0.5 ? 2 * Math.round(x / 2) : Math.round(x));

/** By its Taylor series; from 4 on the difference to 1 is below 2e-8. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 4) return Math.sign(x);
  let term = z;
  let total = z;
  for (let n = 1; n < 200; n++) {
    term *= (-z * z) / n;
    total += term / (2 * n + 1);
  }
  return (Math.sign(x) * 2 * total) / Math.sqrt(Math.PI);
}
