// Runs one call as a plan of its own, with every tensor in a bound buffer, and checks that nothing but the output changed.
import { expect } from 'vitest';
import type { Attrs, Backend, Expr, OpName, Plan, PlannedBuffer, Scalar, View } from '@transept/tensor';
import type { Step } from '../index.ts';
import { positions, sentinel, tensor } from './tensors.ts';
import type { TestTensor } from './tensors.ts';

export interface CallOptions {
  readonly attrs?: Attrs;
  readonly epilogue?: { readonly expr: Expr; readonly inputs: readonly TestTensor[] };
  readonly scalars?: readonly (Scalar & { readonly value: number })[];
  /** Defaults to the element type of the first input. Its memory is what the call finds there. */
  readonly output: TestTensor;
}

/** An output that nothing has been written to. */
export const blank = (...[shape, options]: [TestTensor['shape'], Parameters<typeof tensor>[2]?]): TestTensor => {
  const out = tensor(shape, () => 0, options);
  new Uint32Array(out.memory.buffer).fill(sentinel);
  return out;
};

/** The elements of the output after the call, in row-major order. */
export async function runCall(
  backend: Backend<Step>,
  op: OpName,
  inputs: readonly TestTensor[],
  options: CallOptions,
): Promise<number[]> {
  const { attrs = {}, epilogue, scalars = [], output } = options;
  const all = [...inputs, ...(epilogue?.inputs ?? []), output];
  const memories = [...new Set(all.map((t) => t.memory))];
  const view = (t: TestTensor): View => ({
    buffer: memories.indexOf(t.memory),
    dtype: t.dtype,
    offset: t.offset,
    shape: t.shape,
    strides: t.strides,
  });
  const plan: Plan = {
    name: 'test',
    backend: backend.name,
    buffers: memories.map((memory, i): PlannedBuffer => ({
      kind: 'bound',
      name: `t${i}`,
      role: memory === output.memory ? 'state' : 'input',
      bytes: memory.byteLength,
      dtype: 'f32',
      shape: [memory.length],
      readback: memory === output.memory,
    })),
    calls: [
      {
        op,
        attrs,
        inputs: inputs.map(view),
        output: view(output),
        ...(epilogue && { epilogue: { expr: epilogue.expr, inputs: epilogue.inputs.map(view) } }),
        label: 'test',
      },
    ],
    scalars: scalars.map(({ name, dtype }) => ({ name, dtype })),
    notes: [],
  };
  const buffers = memories.map((memory) => {
    const buffer = backend.alloc(memory.byteLength);
    backend.write(buffer, memory);
    return buffer;
  });
  const bound = Object.fromEntries(buffers.map((b, i) => [`t${i}`, b]));
  const program = await backend.load(plan, bound);
  program.run(scalars.map((s) => s.value));
  const bytes = await program.read(`t${memories.indexOf(output.memory)}`);
  program[Symbol.dispose]();
  for (const buffer of buffers) buffer[Symbol.dispose]();

  const after = new (output.memory.constructor as typeof Float32Array)(bytes.buffer);
  const inside = positions(output);
  const before = new Uint32Array(output.memory.buffer, 0, output.memory.length).slice();
  const now = new Uint32Array(bytes.buffer);
  const written = new Set(inside);
  const strays = [...now.keys()].filter((i) => !written.has(i) && now[i] !== before[i]);
  expect(strays, 'elements written outside the output').toEqual([]);
  return inside.map((at) => after[at]!);
}

/** Compares with values computed in double precision. */
export function expectClose(
  actual: readonly number[],
  expected: readonly number[],
  absolute: number,
  relative = 0,
): void {
  expect(actual.length).toBe(expected.length);
  let worst = -1;
  let most = 0;
  expected.forEach((want, i) => {
    const got = actual[i]!;
    const error = got === want ? 0 : Math.abs(got - want) / (absolute + relative * Math.abs(want));
    if (!(error <= most)) {
      worst = i;
      most = Number.isNaN(error) ? Infinity : error;
    }
  });
  if (!(most <= 1))
    expect.fail(
      `element ${worst} is ${actual[worst]}, expected ${expected[worst]} (${most.toPrecision(3)} × the bound)`,
    );
}
