// Every primitive against the reference backend: odd sizes, strides, empty tensors, all variants, one and two threads.
import { expr, reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everyVariant, operand, randomNumbers, runCase } from './fixture.ts';
import type { CallCase, Operand } from './fixture.ts';

const oracle = reference();
let backends: Record<string, Backend>;

beforeAll(async () => {
  backends = await everyVariant();
});
afterAll(() => {
  for (const backend of Object.values(backends)) backend[Symbol.dispose]();
});

/** Both storages, guards included, agree: sums of `terms` products to a few roundings each. */
function expectClose(got: Operand, want: Operand, tolerance: number): void {
  expect(got.storage.length).toBe(want.storage.length);
  for (let i = 0; i < got.storage.length; i++) {
    const [x, y] = [got.storage[i]!, want.storage[i]!];
    if (Object.is(x, y) || Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(y))) continue;
    expect.fail(`element ${i} of ${got.storage.length} (view from ${got.offset}): ${x}, expected ${y}`);
  }
}

async function check(made: CallCase, tolerance = 1e-6): Promise<void> {
  const want = await runCase(oracle, made);
  for (const [name, backend] of Object.entries(backends)) {
    const got = await runCase(backend, made);
    try {
      expectClose(got, want, tolerance);
    } catch (error) {
      throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
    }
    if (name.endsWith('2')) {
      const alone = await runCase(backends[name.replace(/2$/, '1')]!, made);
      expect(new Uint32Array(got.storage.buffer)).toEqual(new Uint32Array(alone.storage.buffer));
    }
  }
}

const random = randomNumbers(1);
const normal = (): number => random() + random() + random() - 1.5;
const tensor = (shape: number[], strides?: number[], role: Operand['role'] = 'input'): Operand =>
  operand(shape, normal, { ...(strides && { strides }), role });
const { apply, cast, constant, index, input } = expr;

describe('matmul', () => {
  const sizes = [
    [1, 1, 1],
    [1, 7, 8],
    [1, 300, 43],
    [2, 64, 172],
    [3, 5, 21],
    [4, 33, 8],
    [5, 16, 40],
    [6, 600, 24],
    [7, 64, 65],
    [13, 300, 77],
    [100, 64, 48],
    [130, 520, 70],
    [15, 4100, 19],
  ] as const;
  for (const [m, k, n] of sizes)
    for (const role of ['parameter', 'input'] as const)
      for (const transposed of [false, true])
        test(`${m}×${k}×${n}, b a${transposed ? ' transposed' : ''} ${role}`, () =>
          check(
            {
              op: 'matmul',
              inputs: [tensor([m, k]), tensor([k, n], transposed ? [1, k + 3] : [n + 5, 1], role)],
              output: { shape: [m, n] },
            },
            1e-6 * Math.sqrt(k),
          ));
  test('a transposed, batches, broadcast b, K = 0', async () => {
    await check(
      { op: 'matmul', inputs: [tensor([20, 30], [1, 22]), tensor([30, 17])], output: { shape: [20, 17] } },
      1e-5,
    );
    await check(
      {
        op: 'matmul',
        inputs: [tensor([2, 3, 5, 16], [16, 160, 32, 1]), tensor([2, 3, 16, 11], [0, 176, 11, 1], 'parameter')],
        output: { shape: [2, 3, 5, 11] },
      },
      1e-5,
    );
    await check({ op: 'matmul', inputs: [tensor([4, 1, 16]), tensor([4, 16, 9])], output: { shape: [4, 1, 9] } }, 1e-5);
    await check({ op: 'matmul', inputs: [tensor([3, 0]), tensor([0, 4])], output: { shape: [3, 4] } });
    await check({ op: 'matmul', inputs: [tensor([0, 3]), tensor([3, 4])], output: { shape: [0, 4] } });
  });
  test('with an epilogue', async () => {
    for (const [m, n] of [
      [1, 300],
      [9, 43],
      [40, 520],
      [3, 6],
    ] as const) {
      const sum = apply('add', apply('add', input(0), input(1)), apply('mul', input(2), constant(0.5)));
      await check(
        {
          op: 'matmul',
          inputs: [tensor([m, 40]), tensor([40, n], undefined, 'parameter')],
          output: { shape: [m, n] },
          epilogue: {
            expr: apply('max', sum, apply('mul', cast('f32', index(1)), expr.apply('neg', constant(0.01)))),
            inputs: [tensor([m, n], [0, 1]), tensor([m, n])],
          },
        },
        1e-5,
      );
    }
  });
  test('bits do not depend on the number of rows', async () => {
    const a = tensor([40, 100]);
    const b = tensor([100, 37], undefined, 'parameter');
    for (const backend of Object.values(backends)) {
      const all = await runCase(backend, { op: 'matmul', inputs: [a, b], output: { shape: [40, 37] } });
      for (const m of [1, 2, 3, 4, 5, 6, 7, 11, 23]) {
        const some = await runCase(backend, {
          op: 'matmul',
          inputs: [{ ...a, shape: [m, 100] }, b],
          output: { shape: [m, 37] },
        });
        expect(some.storage.slice(16, 16 + m * 37)).toEqual(all.storage.slice(16, 16 + m * 37));
      }
    }
  });
});

describe('reduce', () => {
  for (const fn of ['sum', 'max', 'min', 'prod'] as const)
    test(fn, async () => {
      const go = async (x: Operand, axes: number) =>
        check(
          {
            op: 'reduce',
            attrs: { fn, axes },
            inputs: [x],
            output: { shape: x.shape.slice(0, x.shape.length - axes), dtype: x.dtype },
          },
          1e-5,
        );
      await go(tensor([5]), 1);
      await go(tensor([7, 37]), 1);
      await go(tensor([7, 37], [1, 7]), 1);
      await go(tensor([3, 5, 6], [60, 10, 1]), 2);
      await go(tensor([3, 5, 6], [2, 60, 10]), 2);
      await go(tensor([3, 1000], [1, 3]), 1);
      await go(tensor([300, 70]), 1);
      await go(tensor([4, 3]), 0);
      await go(tensor([4, 0]), 1);
      await go(tensor([2, 3], [0, 1]), 2);
      await go(tensor([]), 0);
      await go(
        operand([6, 21], (i) => (i % 13) - 6, { dtype: 'i32' }),
        1,
      );
    });
  test('with an epilogue', () =>
    check(
      {
        op: 'reduce',
        attrs: { fn: 'sum', axes: 1 },
        inputs: [tensor([33, 50])],
        output: { shape: [33] },
        epilogue: { expr: apply('sqrt', apply('abs', apply('div', input(0), constant(50)))), inputs: [] },
      },
      1e-5,
    ));
});

describe('gather and scatter', () => {
  const indices = (shape: number[], rows: number, strides?: number[]): Operand =>
    operand(shape, () => Math.floor(random() * (rows + 4)) - 2, { dtype: 'i32', ...(strides && { strides }) });
  test('gather by index clamps', async () => {
    await check({ op: 'gather', inputs: [tensor([10, 7]), indices([2, 3], 10)], output: { shape: [2, 3, 7] } });
    await check({
      op: 'gather',
      inputs: [tensor([10, 4, 3], [1, 40, 10]), indices([5], 10, [2])],
      output: { shape: [5, 4, 3] },
    });
    await check({ op: 'gather', inputs: [tensor([10]), indices([4], 10)], output: { shape: [4] } });
    await check({ op: 'gather', inputs: [tensor([50, 300]), indices([], 50)], output: { shape: [300] } });
    await check({ op: 'gather', inputs: [tensor([50, 300]), indices([100], 50)], output: { shape: [100, 300] } });
  });
  test('gather from a start, with an epilogue', () =>
    check({
      op: 'gather',
      attrs: { start: { scalar: 1 }, count: 4 },
      inputs: [tensor([10, 40])],
      output: { shape: [4, 40] },
      epilogue: {
        expr: apply('add', apply('mul', input(0), { kind: 'scalar', scalar: 0 }), input(1)),
        inputs: [tensor([4, 40])],
      },
      scalars: [
        { name: 'scale', dtype: 'f32', value: 0.75 },
        { name: 'start', dtype: 'i32', value: 8 },
      ],
    }));
  for (const mode of ['set', 'add'] as const)
    test(`scatter, ${mode}`, async () => {
      const before = (i: number): number => i;
      await check({
        op: 'scatter',
        attrs: { mode },
        inputs: [tensor([6, 5]), indices([6], 4)],
        output: { shape: [4, 5], before },
      });
      await check({
        op: 'scatter',
        attrs: { mode, start: 2 },
        inputs: [tensor([6, 5], [1, 9])],
        output: { shape: [4, 5], before },
      });
      await check({
        op: 'scatter',
        attrs: { mode, start: { scalar: 0 } },
        inputs: [tensor([1, 3, 8])],
        output: { shape: [9, 3, 8], strides: [16, 9 * 16, 1], before },
        scalars: [{ name: 'at', dtype: 'i32', value: 4 }],
      });
      await check({
        op: 'scatter',
        attrs: { mode, start: 3 },
        inputs: [operand([3, 5], (i) => i * 7, { dtype: 'i32' })],
        output: { shape: [8, 5], before, dtype: 'i32' },
      });
      await check({
        op: 'scatter',
        attrs: { mode, start: 3 },
        inputs: [tensor([100, 300])],
        output: { shape: [200, 300], before },
      });
    });
});

test('copy', async () => {
  await check({ op: 'copy', inputs: [tensor([3, 4, 5])], output: { shape: [3, 4, 5] } });
  await check({ op: 'copy', inputs: [tensor([30, 41], [1, 30])], output: { shape: [30, 41] } });
  await check({ op: 'copy', inputs: [tensor([30, 41], [0, 1])], output: { shape: [30, 41], strides: [90, 2] } });
  await check({
    op: 'copy',
    inputs: [tensor([2, 3, 4, 5, 2, 3], [1, 2, 6, 24, 120, 240])],
    output: { shape: [2, 3, 4, 5, 2, 3] },
  });
  await check({ op: 'copy', inputs: [tensor([])], output: { shape: [] } });
  await check({ op: 'copy', inputs: [tensor([0, 3])], output: { shape: [0, 3] } });
  await check({ op: 'copy', inputs: [tensor([30000])], output: { shape: [30000] } });
  await check({
    op: 'copy',
    inputs: [operand([30, 700], (i) => i, { dtype: 'u32', strides: [701, 1] })],
    output: { shape: [30, 700], dtype: 'u32' },
  });
});
