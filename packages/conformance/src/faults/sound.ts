// A backend that is right, and slow: the reference backend with every fused operation as a kernel of its own, epilogues included.
// One fault can be put into it.
import { apart, elements, expr, fusedOps, isFused, reference, whole } from '@transept/tensor';
import type { Backend, Call, Kernel, OpName, Plan, View } from '@transept/tensor';
import { newElements } from '../fence.ts';
import { positionsOf } from '../oracle/cells.ts';
import { definitionOf } from '../oracle/evaluate.ts';
import type { Fault, KernelFault } from './fault.ts';

export type Step = ReturnType<ReturnType<typeof reference>['kernels']['copy']['prepare']>;
type MemoryOf = Parameters<Step>[0];
export type Elements = ReturnType<MemoryOf>;

const { kernels: primitives, capabilities } = reference();
const ops: readonly OpName[] = ['pointwise', 'reduce', 'matmul', 'gather', 'scatter', 'copy', ...fusedOps];
const withEpilogue: ReadonlySet<OpName> = new Set(['reduce', 'matmul', 'gather', ...fusedOps]);

/** A backend that does everything right, but for one fault. */
export function sound(fault?: Fault): Backend {
  const kernelFault = fault?.op === 'program' ? undefined : fault;
  const kernels = Object.fromEntries(
    ops.map((op) => [op, kernelOf(op, kernelFault?.op === op ? kernelFault : undefined)]),
  );
  const backend: Backend = reference({ kernels, memory: 'slots' }) as Backend;
  return fault?.op === 'program' ? fault.wrap(backend) : backend;
}

const kernelOf = (op: OpName, fault: KernelFault | undefined): Kernel<Step> => ({
  epilogue: withEpilogue.has(op),
  halves: op === 'matmul',
  prologue: op === 'matmul',
  stores: op === 'matmul' || op === 'rope',
  prepare: (call, plan) => (fault ? spoiled(call, plan, fault) : stepOf(call, plan)),
});

function stepOf(call: Call, plan: Plan, fault?: KernelFault): Step {
  const temporaries: View[] = [];
  const calls = apart(call, (dtype, shape) => {
    const view = { buffer: -1 - temporaries.length, dtype, ...whole(shape) };
    temporaries.push(view);
    return view;
  });
  const steps = calls.map((one) => bareStep(one, plan, one.op === call.op ? fault : undefined));
  return (memory) => {
    const cells = temporaries.map(({ dtype, shape }) => newElements(dtype, elements(shape)));
    const inner: MemoryOf = (view) => cells[-1 - view.buffer] ?? memory(view);
    const runs = steps.map((step) => step(inner));
    return (scalars) => {
      for (const run of runs) run(scalars);
    };
  };
}

/** A fused call by its definition, over the memory that the call names. */
function bareStep(call: Call, plan: Plan, fault?: KernelFault): Step {
  if (!isFused(call.op)) return primitives[call.op].prepare(call, plan, capabilities);
  const inner = definitionOf(call, plan, fault?.define);
  return (memory) => {
    const own = new Map<string, Elements>();
    const innerMemory: MemoryOf = (view) => {
      const planned = inner.buffers[view.buffer]!;
      if (planned.kind === 'bound' && planned.role !== 'output')
        return memory({ ...view, buffer: Number(planned.name) });
      const key = `${view.buffer}:${view.dtype}`;
      if (!own.has(key)) own.set(key, newElements(view.dtype, planned.bytes));
      return own.get(key)!;
    };
    const steps = inner.calls.map((c) => stepOf(c, inner)(innerMemory));
    const out = memory(call.output);
    const result = inner.buffers.findIndex((b) => b.kind === 'bound' && b.role === 'output');
    const from = innerMemory({ ...call.output, buffer: result });
    return (scalars) => {
      for (const step of steps) step(scalars);
      for (let i = 0; i < elements(call.output.shape); i++) out[call.output.offset + i] = from[i]!;
    };
  };
}

function spoiled(call: Call, plan: Plan, fault: KernelFault): Step {
  const step = stepOf(fault.call?.(call) ?? call, plan, fault);
  const indices = fault.index && (call.op === 'gather' || call.op === 'scatter') ? call.inputs[1] : undefined;
  const rows = (call.op === 'scatter' ? call.output : call.inputs[0])?.shape[0] ?? 0;
  let first: readonly number[] | undefined;
  return (memory) => {
    const moved = indices && memory(indices).slice();
    const run = step((view) => (moved && view === indices ? moved : memory(view)));
    const at = positionsOf(call.output);
    return (given) => {
      const scalars = Array.from(given);
      first ??= scalars;
      moved?.set(memory(indices!).map((i) => fault.index!(i, rows)));
      const out = memory(call.output);
      const before = out.slice();
      run(fault.scalars?.(scalars, first) ?? scalars);
      fault.spoil?.({ call, out, before, at, memory });
    };
  };
}

/** An expression with every part replaced, from the inside out. */
export function rewrite(e: expr.Expr, replace: (part: expr.Expr) => expr.Expr): expr.Expr {
  if (e.kind === 'cast') return replace({ ...e, arg: rewrite(e.arg, replace) });
  if (e.kind === 'apply') return replace({ ...e, args: e.args.map((a) => rewrite(a, replace)) });
  return replace(e);
}
