// One call over bounded numbers. Fused operations go through their definitions, with the freedom that `bounds.ts` allows a kernel
// of its own; what is joined to a call is taken apart again.
import { apart, elements, isFused, lower, readsOf, reference, trace, whole, writesOf } from '@transept/tensor';
import type { Attrs, Backend, Call, Graph, Plan, Tensor } from '@transept/tensor';
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

/** Work through a call of `scope.plan`: afterwards the memory of all that it writes holds the results. */
export function evaluate(call: Call, scope: Scope): void {
  const temporaries: Cells[] = [];
  const calls = apart(call, (dtype, shape) => {
    temporaries.push(new Cells(elements(shape)));
    return { buffer: -temporaries.length, dtype, ...whole(shape) };
  });
  const memory: Scope['memory'] = (view) => temporaries[-1 - view.buffer] ?? scope.memory(view);
  for (const one of calls) evaluateOne(one, { ...scope, memory });
}

function evaluateOne(call: Call, scope: Scope): void {
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
  for (const call of plan.calls)
    for (const view of [...readsOf(call), ...writesOf(call)])
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
