// A backend's own plan of a graph, fusion, epilogues and copies included, call by call: each runs on what the calls before it left,
// and its result is compared with the exact one for that very memory. Finds what operations by themselves do not show.
import { bytesPer, expr, lower, mapViews, readsOf, writesOf } from '@transept/tensor';
import type { Backend, Call, Plan, PlannedBuffer, TracedGraph, View } from '@transept/tensor';
import { elementsIn } from '../fence.ts';
import { Cells, positionsOf } from '../oracle/cells.ts';
import { evaluate } from '../oracle/evaluate.ts';
import { boundedScalars } from '../oracle/oracle.ts';
import { runPlan } from './alone.ts';
import type { BisectInputs, BisectOptions, OperationReport } from './bisect.ts';
import { judge } from './judge.ts';

/** Compare every call of a backend's plan with the exact result. `values` of elements have one entry. */
export async function* asLowered(
  traced: TracedGraph,
  { contents, scalars = [] }: BisectInputs,
  backend: Backend,
  { signal }: BisectOptions = {},
): AsyncGenerator<OperationReport, void, undefined> {
  const plan = lower(traced, backend);
  const arithmetic = backend.capabilities.arithmetic ?? 'ieee';
  const memory = await Promise.all(plan.buffers.map((b) => initial(b, contents, traced)));
  for (const [i, call] of plan.calls.entries()) {
    signal?.throwIfAborted();
    const views = writesOf(call);
    const written = [...new Set(views.map((v) => v.buffer))];
    const after = await runPlan(
      alone(call, plan),
      backend,
      (name) => memory[Number(name)],
      scalars,
      written.map(String),
    );
    const cells = new Map<string, Cells>();
    const cellsOf = ({ buffer, dtype }: View): Cells => {
      const key = `${buffer} ${dtype}`;
      let known = cells.get(key);
      if (!known) {
        const values = elementsOf(memory[buffer]!, dtype);
        cells.set(key, (known = new Cells(values.length)));
        known.fill(values);
      }
      return known;
    };
    evaluate(call, { plan, memory: cellsOf, scalars: boundedScalars(plan, scalars), arithmetic, expUlps: 0 });
    written.forEach((buffer, k) => (memory[buffer] = after[k]!));
    const results = views.map((view) => {
      const at = positionsOf(view);
      const expected = new Cells(at.length);
      at.forEach((place, k) => expected.take(k, cellsOf(view), place));
      const all = elementsOf(memory[view.buffer]!, view.dtype);
      return { view, ...judge([Float64Array.from(at, (place) => all[place]!)], [expected], view.shape) };
    });
    const { view, ...judged } = results.find((r) => r.beyond > 0) ?? results[0]!;
    yield { ...described(call, view, plan, i + 1), ...judged, differs: judged.beyond > 0 };
  }
}

/** A plan of one call. Buffers are bound under their numbers, temporaries too, and only those that the call uses. */
function alone(call: Call, plan: Plan): Plan {
  const used = [...new Set([...writesOf(call), ...readsOf(call)].map((v) => v.buffer))];
  const renumbered = (view: View): View => ({ ...view, buffer: used.indexOf(view.buffer) });
  const bound = (b: PlannedBuffer, number: number): PlannedBuffer => {
    const name = `${number}`;
    // What a call does not write all over has to be there before it: outputs become states.
    if (b.kind === 'bound') return { ...b, name, role: b.role === 'output' ? 'state' : b.role, readback: false };
    return {
      kind: 'bound',
      name,
      role: 'state',
      bytes: b.bytes,
      dtype: 'u32',
      shape: [Math.ceil(b.bytes / 4)],
      readback: false,
    };
  };
  return {
    ...plan,
    buffers: used.map((number) => bound(plan.buffers[number]!, number)),
    calls: [mapViews(call, renumbered)],
    notes: [],
  };
}

async function initial(
  planned: PlannedBuffer,
  contents: BisectInputs['contents'],
  { graph }: TracedGraph,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(Math.ceil(planned.bytes / 4) * 4);
  if (planned.kind === 'temporary' || planned.role === 'output') return bytes;
  const source = graph.parameters.get(planned.name)?.source;
  const values = source && 'values' in source ? source.values : await contents(planned.name);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return bytes;
}

const elementsOf = (bytes: Uint8Array<ArrayBuffer>, dtype: View['dtype']) =>
  elementsIn(dtype, bytes, Math.floor(bytes.length / bytesPer[dtype]));

/** What is to be told of a call that wrote to a view. */
function described(call: Call, { dtype, shape }: View, { buffers, calls }: Plan, number: number) {
  const { op, label, inputs, attrs, epilogue } = call;
  const parameters = readsOf(call).flatMap(({ buffer }) => {
    const b = buffers[buffer]!;
    return b.kind === 'bound' && b.role === 'parameter' ? [b.name] : [];
  });
  const shown = [...('expr' in attrs ? [attrs['expr'] as expr.Expr] : []), ...(epilogue ? [epilogue.expr] : [])];
  return {
    number,
    operations: calls.length,
    op,
    label,
    parameters: [...new Set(parameters)],
    inputs: inputs.map(({ dtype, shape }) => ({ dtype, shape })),
    dtype,
    shape,
    ...(shown.length > 0 && { expression: shown.map(expr.formatExpr).join(' then ') }),
  };
}
