// Cases of single ONNX operators as cases of the suite: the operator is built out of ours, and the oracle has to agree with the
// values that come with it.
import { cast, Graph } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { Unsupported } from '../case.ts';
import type { CaseSource, OpCase, OutOfScope } from '../case.ts';
import { kindOf, valuesOf } from './format.ts';
import type { OnnxCase, OnnxTensor } from './format.ts';
import { OnnxNode } from './node.ts';
import { operators } from './operators/index.ts';

/** Make cases of the contents of a file. Throws an Error where it is no list of cases. */
export function onnxCases(json: unknown, file = 'the file'): CaseSource {
  const cases: OpCase[] = [];
  const outOfScope = new Map<string, OutOfScope>();
  for (const c of checked(json, file)) {
    const left = leftOut(c);
    if (left) outOfScope.set(left.name, left);
    else cases.push(asCase(c));
  }
  return { cases, outOfScope: [...outOfScope.values()] };
}

function checked(json: unknown, file: string): OnnxCase[] {
  const isCase = (c: unknown): c is OnnxCase => {
    const { test, op, inputs, outputs } = (c ?? {}) as Partial<OnnxCase>;
    return typeof test === 'string' && typeof op === 'string' && Array.isArray(inputs) && Array.isArray(outputs);
  };
  if (Array.isArray(json) && json.every(isCase))
    return json.map((c) => ({ ...c, attrs: c.attrs ?? {}, opset: c.opset ?? { '': 13 } }));
  throw new Error(`cases: ${file} is no list of operator cases; each has test, op, attrs, inputs and outputs`);
}

/** What is not tried, by a name that stands for all cases of its kind. */
function leftOut({ op, inputs, outputs }: OnnxCase): OutOfScope | undefined {
  const reason = meaningless[op];
  if (reason !== undefined) return { name: op, reason };
  const training = op === 'Dropout' && Number(inputs[2]?.data[0] ?? 0) !== 0 && Number(inputs[1]?.data[0] ?? 0.5) !== 0;
  if (training)
    return {
      name: 'Dropout in training',
      reason: 'which elements are dropped is up to the generator of random numbers',
    };
  const foreign = [...inputs, ...outputs].find((t) => t !== null && kindOf(t.dtype) === undefined);
  if (foreign) return { name: `${op} of ${foreign.dtype}`, reason: `tensors do not hold ${foreign.dtype}` };
  if (!(op in operators)) return { name: op, reason: 'the suite does not know it' };
  return undefined;
}

const meaningless: Readonly<Record<string, string>> = {
  NonZero: 'how many elements it gives depends on their values; shapes are fixed when a graph is traced',
  Shape: 'shapes are known when a graph is traced; nothing is left to compute',
  Size: 'shapes are known when a graph is traced; nothing is left to compute',
};

function asCase(c: OnnxCase): OpCase {
  const { contents, special } = traceOnce(c);
  const given = c.outputs.flatMap((t, i) => (t ? [[outputName(t, i), valuesOf(t)] as const] : []));
  return {
    op: `onnx:${c.op}`,
    name: c.test.replace(/^test_/, ''),
    build: (graph) => build(new OnnxNode(graph, c), c),
    contents,
    expected: Object.fromEntries(given),
    tolerance: toleranceOf(c),
    ...(special && { special }),
  };
}

const outputName = ({ name }: OnnxTensor, i: number): string => `output ${i}${name === undefined ? '' : ` ${name}`}`;

/** The graph of a case, its outputs in the types that they are expected in. */
function build(node: OnnxNode, { op, outputs }: OnnxCase): Record<string, Tensor> {
  const built = operators[op]!(node);
  const results: readonly (Tensor | undefined)[] = 'graph' in built ? [built] : built;
  return Object.fromEntries(
    outputs.flatMap((t, i) => {
      if (!t) return [];
      const result = results[i];
      if (!result) throw new Unsupported(`${op}: gives no output ${i}`);
      return [[outputName(t, i), cast(result, kindOf(t.dtype)!.dtype)]];
    }),
  );
}

/** What the inputs have to hold, which is known after the graph was built; and whether NaN or infinities occur. */
function traceOnce(c: OnnxCase): Required<Pick<OpCase, 'contents'>> & Pick<OpCase, 'special'> {
  const node = new OnnxNode(new Graph(c.test), c);
  try {
    build(node, c);
  } catch {
    return { contents: {} }; // the suite will meet the same error, and say so
  }
  const values = [...Object.values(node.contents), ...c.outputs.flatMap((t) => (t ? [valuesOf(t)] : []))];
  const special = values.some((list) => list.some((x) => !Number.isFinite(x)));
  return { contents: node.contents, ...(special && { special: true }) };
}

/** ONNX's values were computed in the type that they have; some thirty roundings of it may separate them from ours. */
function toleranceOf({ inputs, outputs }: OnnxCase): { relative: number; absolute: number } {
  const names = [...inputs, ...outputs].flatMap((t) => (t ? [kindOf(t.dtype)!.name] : []));
  if (names.includes('bfloat16')) return { relative: 2 ** -7, absolute: 2 ** -10 };
  if (names.includes('float16')) return { relative: 2 ** -6, absolute: 2 ** -8 };
  return { relative: 1e-5, absolute: 1e-6 };
}
