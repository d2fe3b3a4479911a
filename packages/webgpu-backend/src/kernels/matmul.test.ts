import { elements, expr as e } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { describe, test } from 'vitest';
import type { Step } from '../index.ts';
import { blank, expectClose, runCall } from '../testing/call.ts';
import { onDevice, onEveryKind } from '../testing/device.ts';
import { random, tensor, values } from '../testing/tensors.ts';
import type { TestTensor } from '../testing/tensors.ts';

/** In double precision, element by element. */
function product(a: TestTensor, b: TestTensor): number[] {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  const [x, y] = [values(a), values(b)];
  return Array.from({ length: elements(a.shape.slice(0, -2)) * m * n }, (_, i) => {
    const batch = Math.floor(i / (m * n));
    const row = Math.floor(i / n) % m;
    let sum = 0;
    for (let j = 0; j < k; j++) sum += x[(batch * m + row) * k + j]! * y[(batch * k + j) * n + (i % n)]!;
    return sum;
  });
}
/** Rounding of K products and sums of numbers up to one, with room for another order. */
const bound = (k: number): number => 1e-6 * Math.sqrt(k) + 1e-6;

const check = async (backend: Backend<Step>, a: TestTensor, b: TestTensor): Promise<void> => {
  const output = blank([...a.shape.slice(0, -1), b.shape.at(-1)!], { offset: 4 });
  expectClose(await runCall(backend, 'matmul', [a, b], { output }), product(a, b), bound(a.shape.at(-1)!));
};

type Size = readonly [m: number, k: number, n: number];

/** A parameter stored [N, K] is b with its last axis varying slowest. */
const testTransposed = (backend: Backend<Step>, sizes: readonly Size[]): void =>
  test.each(sizes)('[%i, %i] × transposed parameter of %i outputs', async (m, k, n) => {
    const next = random(m * k + n);
    await check(backend, tensor([m, k], next), tensor([k, n], next, { order: [1, 0] }));
  });

const few: readonly Size[] = [
  [1, 256, 768],
  [1, 172, 64],
  [2, 32, 43],
  [3, 5, 7],
  [7, 3, 130],
];
const many: readonly Size[] = [
  [5, 1, 1],
  [16, 64, 64],
  [80, 100, 90],
  [129, 33, 67],
];
await onDevice('matmul', (backend) => {
  testTransposed(backend, [...few, ...many]);
  test.each([...few, ...many])('[%i, %i] × plain matrix of %i columns', async (m, k, n) => {
    const next = random(m + k * n);
    await check(backend, tensor([m, k], next), tensor([k, n], next));
  });

  test.each([
    ['both sides offset and padded', { offset: 3, pitch: 5 }, { order: [1, 0], offset: 1, pitch: 3 }],
    ['aligned offsets', { offset: 8, pitch: 4 }, { order: [1, 0], offset: 4 }],
    ['a transposed', { order: [1, 0] }, {}],
    ['both transposed', { order: [1, 0], gap: 1 }, { order: [1, 0] }],
    ['gaps along K', { gap: 2 }, { order: [1, 0], gap: 1 }],
    ['a is one row', { broadcast: [0] }, { order: [1, 0] }],
  ] as const)('%s', async (_, left, right) => {
    const next = random(4);
    await check(backend, tensor([4, 20], next, left), tensor([20, 70], next, right));
  });
});

// A compiler for CPUs takes a second over a tile, so there is one test for each way that tiles are made.
await onEveryKind('matmul', (backend, kind) => {
  const tiled = kind === 'as a GPU';
  describe.skipIf(kind === 'as it is')('sizes', () => testTransposed(backend, few));

  test.runIf(tiled).each([
    ['16 rows, b along K', [13, 20, 70], {}, { order: [1, 0], offset: 1, pitch: 3 }],
    ['32 rows, a along M', [30, 20, 7], { order: [1, 0] }, { gap: 1 }],
    ['64 rows, b along N', [67, 33, 66], { offset: 3, pitch: 5 }, {}],
  ] as const)('tiles of %s', async (_, [m, k, n], left, right) => {
    const next = random(m);
    await check(backend, tensor([m, k], next, left), tensor([k, n], next, right));
  });

  test('batches, permuted and broadcast', async () => {
    const next = random(9);
    const a = tensor([2, 3, 5, 8], next, { order: [0, 2, 1, 3] });
    await check(backend, a, tensor([2, 3, 8, 6], next, { order: [0, 1, 3, 2] }));
    if (kind === 'as it is') await check(backend, a, tensor([2, 3, 8, 6], next, { broadcast: [0] }));
    if (!tiled) await check(backend, a, tensor([2, 3, 8, 6], next, { order: [0, 1, 3, 2], broadcast: [0, 1] }));
    if (tiled) await check(backend, tensor([2, 3, 20, 9], next), tensor([2, 3, 9, 70], next, { broadcast: [1] }));
  });

  test('nothing to sum gives zeros', async () => {
    const output = blank([3, 5]);
    const zeros = new Array<number>(15).fill(0);
    expectClose(
      await runCall(backend, 'matmul', [tensor([3, 0], () => 1), tensor([0, 5], () => 1)], { output }),
      zeros,
      0,
    );
    const transposed = tensor([0, 5], () => 1, { order: [1, 0] });
    expectClose(await runCall(backend, 'matmul', [tensor([3, 0], () => 1), transposed], { output }), zeros, 0);
  });

  test.each([1, 3, 20])('epilogue with bias, residual, scalar and position, %i rows', async (m) => {
    const next = random(m);
    const [k, n] = [24, 37];
    const a = tensor([m, k], next);
    const b = tensor([k, n], next, { order: [1, 0] });
    const bias = tensor([m, n], next, { broadcast: [0], offset: 1 });
    const residual = tensor([m, n], next, { order: [1, 0] });
    const expr = e.apply(
      'add',
      e.apply('tanh', e.apply('add', e.input(0), e.input(1))),
      e.apply('add', e.apply('mul', e.input(2), { kind: 'scalar', scalar: 0 }), e.cast('f32', e.index(1))),
    );
    const scalars = [{ name: 'scale', dtype: 'f32', value: 0.5 }] as const;
    const got = await runCall(backend, 'matmul', [a, b], {
      output: blank([m, n]),
      epilogue: { expr, inputs: [bias, residual] },
      scalars,
    });
    const [bv, rv] = [values(bias), values(residual)];
    const want = product(a, b).map((x, i) => Math.tanh(x + bv[i]!) + rv[i]! * 0.5 + (i % n));
    expectClose(got, want, 1e-5);
  });

  test('an input that the epilogue reads again', async () => {
    const next = random(4);
    const a = tensor([5, 16], next);
    const b = tensor([16, 16], next, { order: [1, 0] });
    const epilogue = { expr: e.apply('add', e.input(0), e.input(1)), inputs: [a] };
    const got = await runCall(backend, 'matmul', [a, b], { output: blank([5, 16]), epilogue });
    const av = values(a);
    expectClose(
      got,
      product(a, b).map((x, i) => x + av[i]!),
      1e-5,
    );
  });
});
