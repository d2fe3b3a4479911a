// Gather, scatter, copy and reduce: what moves or sums up rows.
import { elements, expr as e } from '@transept/tensor';
import type { Plan, View } from '@transept/tensor';
import { expect, test } from 'vitest';
import { blank, expectClose, runCall } from '../testing/call.ts';
import { onDevice, onEveryKind } from '../testing/device.ts';
import { random, tensor, values } from '../testing/tensors.ts';
import type { TestTensor } from '../testing/tensors.ts';

const indices = (list: readonly number[], options = {}): TestTensor =>
  tensor([list.length], (i) => list[i]!, { dtype: 'i32', ...options });

await onDevice('gather', (backend) => {
  const table = tensor([5, 2, 3], (i) => i, { order: [1, 0, 2], offset: 2, pitch: 1 });
  const row = (i: number): number[] => [0, 1, 2, 3, 4, 5].map((c) => Math.min(4, Math.max(0, i)) * 6 + c);

  test('rows by index, clamped to the table', async () => {
    const wanted = [3, -2, 0, 99, 4, 3];
    const at = tensor([2, 3], (i) => wanted[i]!, { dtype: 'i32', order: [1, 0], offset: 1 });
    expect(await runCall(backend, 'gather', [table, at], { output: blank([2, 3, 2, 3], { offset: 3 }) })).toEqual(
      wanted.flatMap(row),
    );
  });

  test('rows in sequence, from a number and from a scalar', async () => {
    const output = blank([3, 2, 3]);
    expect(await runCall(backend, 'gather', [table], { attrs: { start: 3, count: 3 }, output })).toEqual(
      [3, 4, 5].flatMap(row),
    );
    const scalars = [{ name: 'position', dtype: 'i32', value: -1 }] as const;
    expect(
      await runCall(backend, 'gather', [table], { attrs: { start: { scalar: 0 }, count: 3 }, output, scalars }),
    ).toEqual([-1, 0, 1].flatMap(row));
  });

  test('integers, single elements and an epilogue', async () => {
    const ints = tensor([4], (i) => -i, { dtype: 'i32' });
    expect(await runCall(backend, 'gather', [ints, indices([2, 1])], { output: blank([2], { dtype: 'i32' }) })).toEqual(
      [-2, -1],
    );
    const added = tensor([2, 2, 3], (i) => i / 4, { broadcast: [0] });
    const epilogue = { expr: e.apply('add', e.apply('mul', e.input(0), e.constant(2)), e.input(1)), inputs: [added] };
    const got = await runCall(backend, 'gather', [table, indices([1, 4])], { output: blank([2, 2, 3]), epilogue });
    const av = values(added);
    expect(got).toEqual([1, 4].flatMap(row).map((x, i) => 2 * x + av[i]!));
  });

  test('more elements than one row of workgroups holds', async () => {
    const count = 64 * 65535 + 321;
    using table = backend.alloc(12);
    backend.write(table, new Int32Array([5, 6, 7]));
    using out = backend.alloc(4 * count);
    const view = (buffer: number, length: number): View => ({
      buffer,
      dtype: 'i32',
      offset: 0,
      shape: [length],
      strides: [1],
    });
    const attrs = { start: 2 - count, count };
    const plan: Plan = {
      name: 'test',
      backend: backend.name,
      buffers: [
        { kind: 'bound', name: 't', role: 'input', bytes: 12, dtype: 'i32', shape: [3], readback: false },
        { kind: 'bound', name: 'y', role: 'output', bytes: 4 * count, dtype: 'i32', shape: [count], readback: false },
      ],
      calls: [{ op: 'gather', attrs, inputs: [view(0, 3)], output: view(1, count), label: 'test' }],
      scalars: [],
      notes: [],
    };
    using program = await backend.load(plan, { t: table, y: out });
    program.run([]);
    const got = new Int32Array((await backend.read(out)).buffer);
    expect([...got.subarray(count - 4)]).toEqual([5, 5, 5, 6]);
    expect(got.subarray(0, count - 1).every((x) => x === 5)).toBe(true);
  });
});

await onDevice('scatter', (backend) => {
  /** A cache of 6 rows viewed with the rows' axis in the middle of memory. */
  const cache = (dtype: 'f32' | 'i32' = 'f32'): TestTensor =>
    tensor([6, 2, 3], (i) => 100 + i, { order: [1, 0, 2], offset: 2, dtype });
  const updates = tensor([4, 2, 3], (i) => i + 1, { order: [0, 2, 1] });
  const expected = (rows: readonly number[], add: boolean): number[] => {
    const out = values(cache());
    rows.forEach((row, r) => {
      if (row < 0 || row >= 6) return;
      for (let c = 0; c < 6; c++) out[row * 6 + c] = (add ? out[row * 6 + c]! : 0) + r * 6 + c + 1;
    });
    return out;
  };

  test.each(['set', 'add'])('%s by index: in order, rows outside dropped', async (mode) => {
    const rows = [2, -1, 2, 5];
    const got = await runCall(backend, 'scatter', [updates, indices(rows, { gap: 1 })], {
      attrs: { mode },
      output: cache(),
    });
    expect(got).toEqual(expected(rows, mode === 'add'));
    const one = tensor([1, 2, 3], (i) => i + 1);
    expect(await runCall(backend, 'scatter', [one, indices([4])], { attrs: { mode }, output: cache() })).toEqual(
      expected([4], mode === 'add'),
    );
    expect(await runCall(backend, 'scatter', [one, indices([6])], { attrs: { mode }, output: cache() })).toEqual(
      expected([], false),
    );
  });

  test.each(['set', 'add'])('%s in sequence, from a number and from a scalar', async (mode) => {
    const got = await runCall(backend, 'scatter', [updates], { attrs: { mode, start: 4 }, output: cache() });
    expect(got).toEqual(expected([4, 5, 6, 7], mode === 'add'));
    const scalars = [{ name: 'position', dtype: 'i32', value: -1 }] as const;
    const moved = await runCall(backend, 'scatter', [updates], {
      attrs: { mode, start: { scalar: 0 } },
      output: cache(),
      scalars,
    });
    expect(moved).toEqual(expected([-1, 0, 1, 2], mode === 'add'));
  });

  test('integers', async () => {
    const ints = tensor([1, 2, 3], (i) => i + 1, { dtype: 'i32' });
    expect(
      await runCall(backend, 'scatter', [ints], { attrs: { mode: 'add', start: 1 }, output: cache('i32') }),
    ).toEqual(expected([1], true));
  });
});

await onEveryKind('copy and reduce', (backend) => {
  test('copy between strided views', async () => {
    const x = tensor([3, 4, 5], random(), { order: [1, 2, 0], offset: 1 });
    expect(
      await runCall(backend, 'copy', [x], { output: blank([3, 4, 5], { order: [2, 1, 0], gap: 1, offset: 7 }) }),
    ).toEqual(values(x));
  });

  const fns = {
    sum: [0, (a: number, b: number) => a + b],
    max: [-Infinity, Math.max],
    min: [Infinity, Math.min],
    prod: [1, (a: number, b: number) => a * b],
  } as const;
  const shapes = [
    [[7, 5], 1],
    [[1, 1000], 1],
    [[3, 2, 6, 8], 2],
    [[300, 3], 1],
    [[4, 33], 2],
    [[2, 3], 0],
    [[3, 0], 1],
  ] as const;
  test.each(Object.keys(fns) as (keyof typeof fns)[])('reduce by %s', async (fn) => {
    for (const [shape, axes] of shapes) {
      const x = tensor(shape, random(shape[0]), { order: shape.map((_, i) => shape.length - 1 - i), offset: 2 });
      const out = shape.slice(0, shape.length - axes);
      const length = elements(shape.slice(shape.length - axes));
      const [first, combine] = fns[fn];
      const xs = values(x);
      const want = Array.from({ length: elements(out) }, (_, r) =>
        xs.slice(r * length, (r + 1) * length).reduce((a, b) => combine(a, b), first),
      );
      expectClose(
        await runCall(backend, 'reduce', [x], { attrs: { fn, axes }, output: blank(out, { offset: 2 }) }),
        want,
        2e-5,
      );
    }
  });

  test('reduce integers, and with an epilogue', async () => {
    const x = tensor([2, 9], (i) => i - 20, { dtype: 'i32' });
    expect(
      await runCall(backend, 'reduce', [x], { attrs: { fn: 'max', axes: 1 }, output: blank([2], { dtype: 'i32' }) }),
    ).toEqual([-12, -3]);
    const y = tensor([2, 9], (i) => i);
    const epilogue = { expr: e.apply('mul', e.input(0), e.constant(1 / 9)), inputs: [] };
    expectClose(
      await runCall(backend, 'reduce', [y], { attrs: { fn: 'sum', axes: 1 }, output: blank([2]), epilogue }),
      [4, 13],
      1e-5,
    );
  });
});
