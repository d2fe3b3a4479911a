// Calls with something joined to them: which views they have, and what they mean.
import { computeType } from './dtype.ts';
import type { DType } from './dtype.ts';
import type { Call, View } from './plan.ts';
import type { Shape } from './shape.ts';

/** All views that a call reads. */
export const readsOf = ({ inputs, prologue, epilogue }: Call): readonly View[] => [
  ...inputs,
  ...(prologue?.inputs ?? []),
  ...(epilogue?.inputs ?? []),
];

/** All views that a call writes, its output first. */
export const writesOf = ({ output, prologue, stores = [] }: Call): readonly View[] => [
  output,
  ...(prologue?.output ? [prologue.output] : []),
  ...stores.map((s) => s.output),
];

/** A call with other views in the place of its own. */
export function mapViews(call: Call, change: (view: View) => View): Call {
  const { inputs, output, prologue, epilogue, stores } = call;
  return {
    ...call,
    inputs: inputs.map(change),
    output: change(output),
    ...(prologue && {
      prologue: {
        ...prologue,
        inputs: prologue.inputs.map(change),
        ...(prologue.output && { output: change(prologue.output) }),
      },
    }),
    ...(epilogue && { epilogue: { ...epilogue, inputs: epilogue.inputs.map(change) } }),
    ...(stores && { stores: stores.map((s) => ({ ...s, from: change(s.from), output: change(s.output) })) }),
  };
}

/** The type that an operation computes its result in, before an epilogue and before it is stored. */
export function resultType({ op, inputs }: Call): DType {
  if (op === 'argmax') return 'i32';
  return op === 'gather' || op === 'reduce' ? computeType(inputs[0]!.dtype) : 'f32';
}

/**
 * What a call means: calls with nothing joined to them, one after the other. `temporary` makes contiguous memory for what one
 * of them hands on to the next.
 */
export function apart(call: Call, temporary: (dtype: DType, shape: Shape) => View): Call[] {
  const { prologue, epilogue, stores = [], ...bare } = call;
  const { label, output } = call;
  const inputs = [...call.inputs];
  const calls: Call[] = [];
  if (prologue) {
    const [rows] = inputs as [View];
    inputs[0] = prologue.output ?? temporary('f32', rows.shape);
    calls.push({
      op: prologue.op,
      attrs: prologue.attrs,
      inputs: [rows, ...prologue.inputs],
      output: inputs[0],
      label,
    });
  }
  const result = epilogue
    ? temporary(resultType(call), epilogue.halves ? doubled(output.shape) : output.shape)
    : output;
  calls.push({ ...bare, inputs, output: result });
  if (epilogue) {
    const results = epilogue.halves ? halvesOf(result) : [result];
    const attrs = { expr: epilogue.expr };
    calls.push({ op: 'pointwise', attrs, inputs: [...results, ...epilogue.inputs], output, label });
  }
  for (const { from, start, output: to } of stores)
    calls.push({ op: 'scatter', attrs: { mode: 'set', start }, inputs: [from], output: to, label });
  return calls;
}

const doubled = (shape: Shape): Shape => [...shape.slice(0, -1), 2 * shape.at(-1)!];

/** The first and the last columns of a view. */
function halvesOf(view: View): View[] {
  const half = view.shape.at(-1)! / 2;
  const shape = [...view.shape.slice(0, -1), half];
  return [0, half].map((first) => ({ ...view, shape, offset: view.offset + first * view.strides.at(-1)! }));
}
