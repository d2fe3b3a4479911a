import { add, gather, matmul, mul, reference, rmsNorm, scatter, slice, softmax, trace } from '@transept/tensor';
import type { Backend, Call, Graph, Tensor } from '@transept/tensor';
import { expect, test } from 'vitest';
import { neighbourFaults } from '../faults/neighbours.ts';
import { sound } from '../faults/sound.ts';
import type { TypedArray } from '../fence.ts';
import { asLowered } from './as-lowered.ts';
import { bisect } from './bisect.ts';
import type { OperationReport } from './bisect.ts';

/** A reference backend that spoils what a call has written. */
function spoiled(op: 'pointwise' | 'matmul' | 'scatter', spoil: (out: TypedArray, call: Call) => void): Backend {
  const kernel = reference().kernels[op];
  return reference({
    kernels: {
      [op]: {
        prepare(call: Call, ...rest: [never, never]) {
          const step = kernel.prepare(call, ...rest);
          return (memory: Parameters<typeof step>[0]) => {
            const run = step(memory);
            return (scalars: ArrayLike<number>) => {
              run(scalars);
              spoil(memory(call.output) as TypedArray, call);
            };
          };
        },
      },
    },
  }) as Backend;
}

const wave = (length: number): Float32Array<ArrayBuffer> => Float32Array.from({ length }, (_, i) => Math.sin(i + 1));

async function reportsOf(
  build: (g: Graph) => Record<string, Tensor>,
  contents: Record<string, TypedArray>,
  other: Backend,
  scalars: readonly number[] = [],
): Promise<OperationReport[]> {
  const reports: OperationReport[] = [];
  const inputs = { contents: (name: string) => contents[name]!, scalars };
  for await (const report of bisect(trace('test', build), inputs, [reference() as Backend, other]))
    reports.push(report);
  return reports;
}

const steps = (g: Graph): Record<string, Tensor> => {
  const x = g.input('x', [2, 3]);
  const y = matmul(x, g.parameter('weight', [3, 4]));
  return { y: softmax(add(mul(y, 2), 1)) };
};
const contents = { x: wave(6), weight: wave(12) };

test('operations come one by one in the order of the graph, each with the inputs of the first backend', async () => {
  const half = spoiled('matmul', (out, { output }) => (out[output.offset] = out[output.offset]! / 2));
  const reports = await reportsOf(steps, contents, half);
  expect(reports.map(({ op, number, operations }) => [op, number, operations])).toEqual([
    ['matmul', 1, 4],
    ['pointwise', 2, 4],
    ['pointwise', 3, 4],
    ['softmax', 4, 4],
  ]);
  expect(reports.map(({ differs }) => differs)).toEqual([true, false, false, false]);
  expect(reports[0]).toMatchObject({ parameters: ['weight'], beyond: 1, of: 8, wrong: [1], shape: [2, 4] });
  expect(reports[0]!.worst).toMatchObject([{ index: [0, 0], values: [expect.any(Number), expect.any(Number)] }]);
  expect(reports[1]!.expression).toBe('(a * 2)');
});

test('a difference within the bound is none', async () => {
  const nudged = spoiled('matmul', (out, { output }) => (out[output.offset] = out[output.offset]! * (1 + 2 ** -23)));
  const [product] = await reportsOf(steps, contents, nudged);
  expect(product!.difference).toBeGreaterThan(0);
  expect(product).toMatchObject({ differs: false, beyond: 0, worst: [], wrong: [] });
});

test('a number that is none differs', async () => {
  const lost = spoiled('matmul', (out, { output }) => (out[output.offset + 5] = NaN));
  const [product] = await reportsOf(steps, contents, lost);
  expect(product).toMatchObject({ differs: true, beyond: 1, difference: Infinity, worst: [{ index: [1, 1] }] });
});

test('large products are looked at where they differ most', async () => {
  const size = 260; // 260³ > 2²⁴ multiplications
  const build = (g: Graph): Record<string, Tensor> => ({
    y: matmul(g.input('a', [size, size]), g.input('b', [size, size])),
  });
  const inputs = { a: wave(size * size), b: wave(size * size) };
  expect(
    await reportsOf(
      build,
      inputs,
      spoiled('matmul', (out) => (out[777] = out[777]! + 1)),
    ),
  ).toMatchObject([{ differs: true, beyond: 1, of: size * size, worst: [{ index: [2, 257] }], wrong: [1] }]);
  const [right] = await reportsOf(
    build,
    inputs,
    spoiled('matmul', (out) => (out[777] = out[777]! + 1e-6)),
  );
  expect(right).toMatchObject({ differs: false });
});

test('states are written in place, and scalars say where', async () => {
  const build = (g: Graph): Record<string, Tensor> => {
    const cache = scatter(g.state('cache', [4, 2]), g.scalar('at'), g.input('row', [1, 2]));
    return { y: gather(slice(cache, 0, 0, 3), g.constant('rows', [2], Int32Array.of(2, 0))) };
  };
  const memory = { cache: wave(8), row: Float32Array.of(10, 20) };
  const good = await reportsOf(build, memory, reference() as Backend, [2]);
  expect(good.map(({ op, differs, shape }) => [op, differs, shape])).toEqual([
    ['scatter', false, [4, 2]],
    ['gather', false, [2, 2]],
  ]);
  const elsewhere = spoiled('scatter', (out) => (out[0] = 5));
  expect(await reportsOf(build, memory, elsewhere, [2])).toMatchObject([
    { op: 'scatter', differs: true, worst: [{ index: [0, 0], values: [Math.fround(Math.sin(1)), 5] }] },
    { op: 'gather', differs: false },
  ]);
});

test('a plan call by call against the exact results: what only fusion makes wrong', async () => {
  const traced = trace('test', steps);
  const inputs = { contents: (name: keyof typeof contents) => contents[name] } as Parameters<typeof asLowered>[1];
  const of = async (backend: Backend): Promise<(readonly [string, boolean])[]> => {
    const found: (readonly [string, boolean])[] = [];
    for await (const { op, differs } of asLowered(traced, inputs, backend)) found.push([op, differs]);
    return found;
  };
  const right = await of(reference() as Backend);
  expect(right.every(([, differs]) => !differs)).toBe(true);
  const fused = spoiled('pointwise', (out, { attrs, output }) => {
    if (JSON.stringify(attrs['expr']).includes('"exp"')) out[output.offset] = 3;
  });
  const wrong = await of(fused);
  expect(wrong.filter(([, differs]) => differs)).toEqual([['pointwise', true]]);
});

test('a call with norms and caches joined to it is judged by all that it writes', async () => {
  const build = (g: Graph): Record<string, Tensor> => {
    const h = rmsNorm(g.input('x', [2, 3]), g.parameter('scale', [3]), 1e-6);
    const y = matmul(h, g.parameter('weight', [3, 4]));
    scatter(g.state('cache', [5, 2]), g.scalar('at'), slice(y, 1, 2));
    return { y, h: mul(h, 1) };
  };
  const held = { ...contents, scale: wave(3), cache: wave(10) } as Record<string, TypedArray>;
  const inputs = { contents: (name: string) => held[name]!, scalars: [3] };
  const of = async (backend: Backend): Promise<OperationReport[]> => {
    const found: OperationReport[] = [];
    for await (const report of asLowered(trace('test', build), inputs, backend)) found.push(report);
    return found;
  };
  expect(await of(sound())).toMatchObject([
    { op: 'matmul', differs: false, parameters: ['weight', 'scale'], shape: [2, 4] },
    { op: 'pointwise', differs: false },
  ]);
  const fault = neighbourFaults.find(({ op, name }) => op === 'matmul' && name === 'stored: one row late');
  expect(await of(sound(fault))).toMatchObject([
    { op: 'matmul', differs: true, shape: [5, 2] },
    { op: 'pointwise', differs: false },
  ]);
});
