// A plan as text for people: what runs in which order over which memory, and what lowering decided.
import type { Backend } from './backend.ts';
import { computeType } from './dtype.ts';
import { formatExpr } from './expr.ts';
import type { Expr } from './expr.ts';
import { kernelFor } from './lower/decompose.ts';
import type { Attr, Attrs, Call, Plan, View } from './plan.ts';
import { formatShape, isContiguous } from './shape.ts';

/** With a backend, every call says which way its kernel takes. */
export function formatPlan(plan: Plan, backend?: Backend): string {
  const temporary = plan.buffers.flatMap((b) => (b.kind === 'temporary' ? [b.bytes] : []));
  const head = [
    `plan "${plan.name}" for ${plan.backend}: ${plan.calls.length} calls`,
    `scalars: ${plan.scalars.map((s) => `${s.name}: ${s.dtype}`).join(', ') || 'none'}`,
    `temporaries: ${temporary.length} buffers, ${temporary.reduce((a, b) => a + b, 0)} bytes`,
  ];
  const bound = plan.buffers.flatMap((b) =>
    b.kind === 'bound'
      ? [`  ${b.role.padEnd(9)} ${b.stored ?? b.dtype} ${formatShape(b.shape).padEnd(16)} ${b.name}`]
      : [],
  );
  const way = (call: Call): string => {
    const kernel = backend && kernelFor(backend, call.op);
    const described = kernel?.describe?.(call, plan, backend!.capabilities);
    return described ? ` [${described}]` : '';
  };
  const calls = plan.calls.map((call, i) => `  ${String(i).padStart(3)} ${formatCall(call, plan)}${way(call)}`);
  const notes = plan.notes.map((n) => `  ${n.kind} ${n.op} in ${n.label}: ${n.detail}`);
  return [...head, 'bound:', ...bound, 'calls:', ...calls, ...(notes.length ? ['notes:', ...notes] : [])].join('\n');
}

export function formatCall(call: Call, plan: Plan): string {
  const name = (v: View): string => {
    const buffer = plan.buffers[v.buffer]!;
    const which = buffer.kind === 'bound' ? buffer.name : `t${v.buffer}`;
    const how = isContiguous(v) ? '' : ` strides ${formatShape(v.strides)}`;
    return `${which}${v.offset ? `+${v.offset}` : ''} ${formatShape(v.shape)}${how}`;
  };
  const attrs = (all: Attrs): string[] =>
    Object.entries(all).map(([key, value]) => `${key}=${formatAttr(value, plan)}`);
  const { prologue, epilogue, stores = [] } = call;
  const inputs = call.inputs.map(name);
  if (prologue) {
    const kept = prologue.output ? ` kept in ${name(prologue.output)}` : '';
    inputs[0] = `${prologue.op}(${[inputs[0], ...prologue.inputs.map(name), ...attrs(prologue.attrs)].join('; ')})${kept}`;
  }
  const of = epilogue?.halves ? ' of halves' : '';
  const then = epilogue
    ? ` then ${formatExpr(epilogue.expr)}${of} with ${epilogue.inputs.map(name).join(', ') || 'nothing'}`
    : '';
  const also = stores.map(
    ({ from, start, output }) => ` and ${name(output)} from ${formatAttr(start, plan)} on = ${name(from)}`,
  );
  const type = computeType(call.output.dtype) === 'f32' ? '' : ` ${call.output.dtype}`;
  const inside = [...inputs, ...attrs(call.attrs)].join('; ');
  return `${call.label}: ${name(call.output)}${type} = ${call.op}(${inside})${then}${also.join('')}`;
}

function formatAttr(attr: Attr, plan: Plan): string {
  if (typeof attr !== 'object') return String(attr);
  if ('kind' in attr) return formatExpr(attr as Expr);
  if ('scalar' in attr) return plan.scalars[attr.scalar]!.name;
  return formatShape(attr);
}
