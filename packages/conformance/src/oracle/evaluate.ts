// One call over bounded numbers. Fused operations go through their definitions, with the freedom that `bounds.ts` allows a kernel
// of its own; epilogues are a pointwise operation on the result.
import { computeType, elements, isFused, lower, reference, trace, whole } from '@transept/tensor';
import type { Attrs, Backend, Call, DType, Graph, Plan, Tensor, View } from '@transept/tensor';
import { rearranged, rescaling } from '../bounds.ts';
import { isAnything } from './bounded.ts';
import type { Bounded } from './bounded.ts';
import { Cells, extentOf } from './cells.ts';
import { primitives } from './primitives.ts';
import type { Scope } from './primitives.ts';

/** Replaces fused operations by primitives, and joins none of them: what lowering joins is under test as well. */
const decomposer = ((): Backend => {
  const backend = reference({ memory: 'slots' }) as Backend;
  return { ...backend, capabilities: { ...backend.capabilities, maxBindings: 0 } };
})();
const definitions = new WeakMap<Call, Plan>();

/** Work through a call of `scope.plan`: afterwards the memory of its output holds the result. */
export function evaluate(call: Call, scope: Scope): void {
  const { epilogue, ...bare } = call;
  if (!epilogue) return withoutEpilogue(call, scope);
  const result: View = { buffer: -1, dtype: resultType(call), ...whole(call.output.shape) };
  const cells = new Cells(elements(result.shape));
  const inner: Scope = { ...scope, memory: (view) => (view === result ? cells : scope.memory(view)) };
  withoutEpilogue({ ...bare, output: result }, inner);
  primitives.pointwise(
    {
      op: 'pointwise',
      attrs: { expr: epilogue.expr },
      inputs: [result, ...epilogue.inputs],
      output: call.output,
      label: call.label,
    },
    inner,
  );
}

/** The type that an epilogue gets an operation's result in. */
export function resultType({ op, inputs }: Call): DType {
  if (op === 'argmax') return 'i32';
  return op === 'gather' || op === 'reduce' ? computeType(inputs[0]!.dtype) : 'f32';
}

function withoutEpilogue(call: Call, scope: Scope): void {
  const { op, inputs, output } = call;
  if (!isFused(op)) return primitives[op](call, scope);
  let definition = definitions.get(call);
  if (!definition) definitions.set(call, (definition = definitionOf(call, scope.plan)));
  const cells = cellsFor(definition, (name) => scope.memory(inputs.find((view) => `${view.buffer}` === name)!));
  const more = rescaling(op, (op === 'attention' ? inputs[1]!.shape[1] : inputs[0]!.shape.at(-1)) ?? 0);
  const inner: Scope = {
    ...scope,
    plan: definition,
    memory: (view) => cells[view.buffer]!,
    expUlps: scope.expUlps + more,
  };
  for (const step of definition.calls) evaluate(step, inner);
  const result = cells[definition.buffers.findIndex((b) => b.kind === 'bound' && b.role === 'output')]!;
  const out = scope.memory(output);
  for (let i = 0; i < result.value.length; i++) out.set(output.offset + i, loosened(result.get(i)));
}

function loosened(x: Bounded): Bounded {
  const { value, low, high } = x;
  if (!Number.isFinite(value) || isAnything(x)) return x;
  return { value, low: value - rearranged * (value - low), high: value + rearranged * (high - value) };
}

/** Memory for a plan; `given` supplies the cells of bound buffers that exist already. */
export function cellsFor(plan: Plan, given: (name: string) => Cells | undefined = () => undefined): Cells[] {
  const extents = plan.buffers.map((b) => (b.kind === 'bound' ? elements(b.shape) : 0));
  for (const { inputs, output, epilogue } of plan.calls)
    for (const view of [...inputs, output, ...(epilogue?.inputs ?? [])])
      extents[view.buffer] = Math.max(extents[view.buffer] ?? 0, extentOf(view));
  return plan.buffers.map(
    (b, i) => (b.kind === 'bound' && b.role !== 'output' ? given(b.name) : undefined) ?? new Cells(extents[i]!),
  );
}

/** A fused call as a plan of primitives over buffers that are named by their numbers; `define` in place of its own definition. */
export function definitionOf(
  { op, attrs, inputs, output }: Call,
  { scalars, buffers }: Plan,
  define?: (inputs: readonly Tensor[], attrs: Attrs) => Tensor,
): Plan {
  const traced = trace(op, (g: Graph) => {
    g.scalars.push(...scalars);
    const seen = new Map<number, Tensor>();
    const tensors = inputs.map((view) => {
      let all = seen.get(view.buffer);
      if (!all) {
        const planned = buffers[view.buffer];
        const size = Math.max(
          extentOf(view),
          planned?.kind === 'bound' ? elements(planned.shape) : 0,
          ...inputs.map((v) => (v.buffer === view.buffer ? extentOf(v) : 0)),
        );
        seen.set(view.buffer, (all = g.state(`${view.buffer}`, [size], view.dtype)));
      }
      return g.view(all.node, view);
    });
    return {
      result: define?.(tensors, attrs) ?? g.call(op, tensors, attrs, output.shape, op === 'argmax' ? 'i32' : 'f32'),
    };
  });
  return lower(traced, decomposer);
}
