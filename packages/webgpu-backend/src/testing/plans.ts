// Small plans written by hand, for what happens around kernels.
import { expr, rowMajor } from '@transept/tensor';
import type { Call, Plan, PlannedBuffer, Scalar, View } from '@transept/tensor';

const view = (buffer: number, shape: readonly number[]): View => ({
  buffer,
  dtype: 'f32',
  offset: 0,
  shape,
  strides: rowMajor(shape),
});

const bound = (name: string, role: 'input' | 'output' | 'parameter', readback = false): PlannedBuffer => ({
  kind: 'bound',
  name,
  role,
  bytes: 64,
  dtype: 'f32',
  shape: [4, 4],
  readback,
});

/** `depth` products with w [4, 4] and a scalar factor, from x through temporaries to y. Every call has the same shader. */
export function chainPlan(
  depth: number,
  options: { scalars?: readonly Scalar[]; buffers?: readonly PlannedBuffer[] } = {},
): Plan {
  const { scalars = [{ name: 'factor', dtype: 'f32' }] } = options;
  const buffers: PlannedBuffer[] = [
    bound('x', 'input'),
    bound('w', 'parameter'),
    bound('y', 'output', true),
    { kind: 'temporary', bytes: 64 },
    { kind: 'temporary', bytes: 64 },
  ];
  const place = (i: number): number => (i === 0 ? 0 : i === depth ? 2 : 3 + (i % 2));
  const factor = scalars.length > 0 ? expr.apply('mul', expr.input(0), { kind: 'scalar', scalar: 0 }) : expr.input(0);
  const calls = Array.from({ length: depth }, (_, i): Call => ({
    op: 'matmul',
    attrs: {},
    inputs: [view(place(i), [4, 4]), view(1, [4, 4])],
    output: view(place(i + 1), [4, 4]),
    epilogue: { expr: factor, inputs: [] },
    label: `chain.${i}`,
  }));
  return { name: 'chain', backend: 'webgpu', buffers: options.buffers ?? buffers, calls, scalars, notes: [] };
}
