// Products that start too few workgroups to keep a GPU busy are split along K ("split-K"): the parts are a batch of products of their
// own, and a second dispatch adds them up and does what the product had joined to it.
import { rowMajor } from '@transept/tensor';
import type { Call, Plan, View } from '@transept/tensor';
import { scratch } from '../step.ts';
import type { Dispatch, Step, Target } from '../step.ts';
import { u32 } from '../wgsl/address.ts';
import { Shader } from '../wgsl/shader.ts';
import type { Sizes } from './matmul.ts';

const size = 64;

/** A second dispatch costs more than fewer parts save. */
const fewestParts = 4;
/** Parts begin where blocks of stored weights do. */
const block = 32;

/** What `prepare` makes of a product, or of its parts along K where that starts few workgroups. */
export function splitAlongK(
  call: Call,
  plan: Plan,
  sizes: Sizes,
  target: Target,
  prepare: (call: Call, sizes: Sizes) => Step,
): Step {
  const whole = prepare(call, sizes);
  const workgroups = whole.reduce((n, { workgroups: [x, y, z] }) => n + x * y * z, 0);
  const parts = call.epilogue?.halves || call.prologue ? 1 : partsFor(sizes.k, workgroups, target.split);
  if (parts === 1) return whole;

  const k = sizes.k / parts;
  const shape = [parts, ...call.output.shape];
  const partial: View = { buffer: scratch, dtype: 'f32', offset: 0, shape, strides: rowMajor(shape) };
  const [a, b] = call.inputs as readonly [View, View];
  const { op, attrs, label } = call;
  const inputs = [inParts(a, a.shape.length - 1, parts), inParts(b, b.shape.length - 2, parts)];
  const products = prepare({ op, attrs, inputs, output: partial, label }, { ...sizes, batch: parts * sizes.batch, k });
  return [...products, addParts(call, plan, partial, sizes)];
}

function partsFor(k: number, workgroups: number, split: Target['split']): number {
  let parts = Math.min(Math.floor(split.workgroups / workgroups), Math.floor(k / split.k));
  while (parts >= fewestParts && k % (parts * block) !== 0) parts--;
  return parts >= fewestParts ? parts : 1;
}

/** A view with one of its axes cut into parts, which come first. */
function inParts(view: View, axis: number, parts: number): View {
  const size = view.shape[axis]! / parts;
  return {
    ...view,
    shape: [parts, ...view.shape.with(axis, size)],
    strides: [view.strides[axis]! * size, ...view.strides],
  };
}

/** One invocation an element of the output. */
function addParts(call: Call, plan: Plan, partial: View, { batch, m, n }: Sizes): Dispatch {
  const shader = new Shader({ ...call, inputs: [partial] }, plan);
  shader.declarePut([
    { axes: call.output.shape.length - 2, at: 'batch' },
    { axes: 1, at: 'row' },
    { axes: 1, at: 'column' },
  ]);
  const count = batch * m * n;
  const { workgroups, code } = shader.grid(Math.ceil(count / size), 'block');
  return shader.dispatch(size, workgroups, [
    code,
    `let i = block * ${u32(size)} + lane;`,
    `if (i >= ${u32(count)}) { return; }`,
    'var sum = 0.0;',
    `for (var part = 0u; part < ${u32(partial.shape[0]!)}; part++) { sum += ${shader.load(partial, `part * ${u32(count)} + i`)}; }`,
    `put(sum, i / ${u32(m * n)}, i / ${u32(n)} % ${u32(m)}, i % ${u32(n)});`,
  ]);
}
