// One invocation an element, or several elements a workgroup apart where there are many.
import { collapse, computeType, elements } from '@transept/tensor';
import type { Call, Expr, Plan, View } from '@transept/tensor';
import type { GpuKernel, Step } from '../step.ts';
import { address, u32 } from '../wgsl/address.ts';
import type { Span } from '../wgsl/address.ts';
import { emitExpression } from '../wgsl/expression.ts';
import { coordinate } from '../wgsl/address.ts';
import { indent, Shader } from '../wgsl/shader.ts';

const size = 64;

export const pointwise: GpuKernel = {
  prepare: (call, plan) => elementwise(call, plan, call.attrs['expr'] as Expr),
};

/** Evaluates an expression of the call's inputs at every element of its output. */
export function elementwise(call: Call, plan: Plan, expr: Expr): Step {
  const count = elements(call.output.shape);
  if (count === 0) return [];
  const shader = new Shader(call, plan);
  // Neighbouring axes that all views can merge are one axis: usually everything is.
  const views: readonly View[] = [...call.inputs, call.output];
  const flat = collapse(views);
  const merged = views.map((v, i) => ({ ...v, shape: flat.shape, strides: flat.strides[i]! }));
  const spans: Span[] = [{ axes: flat.shape.length, at: 'i' }];
  const statements: string[] = [];
  const value = emitExpression(expr, {
    types: { inputs: call.inputs.map((v) => computeType(v.dtype)), scalars: plan.scalars.map((s) => s.dtype) },
    input: (i) => shader.at(merged[i]!, spans),
    index: (axis) => coordinate(call.output.shape, axis, [{ axes: call.output.shape.length, at: 'i' }]),
    scalar: (i) => shader.scalar(i),
    statement: (text) => void statements.push(text),
    use: (fn) => shader.use(fn),
  });
  const rounds = Math.min(8, Math.ceil(count / 65536));
  const { workgroups, code } = shader.grid(Math.ceil(count / (size * rounds)), 'block');
  const element = [...statements, shader.store(call.output, address(merged.at(-1)!, spans), value)];
  const first = `block * ${u32(size * rounds)} + lane`;
  return [
    shader.dispatch(size, workgroups, [
      code,
      `for (var i = ${first}; i < min(${u32(count)}, (block + 1u) * ${u32(size * rounds)}); i += ${u32(size)}) {`,
      indent(element),
      '}',
    ]),
  ];
}
