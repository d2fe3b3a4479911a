// Second step of lowering: fewer, larger kernels. Chains of pointwise operations become one expression; a pointwise
// operation on the result of another kernel becomes that kernel's epilogue; a copy of a result into a part of another
// tensor becomes the operation itself, which writes there. What nothing reads goes away. `neighbours.ts` has the rest.
import type { Backend } from '../backend.ts';
import { input, substitute, usesIndex, walk } from '../expr.ts';
import type { Expr } from '../expr.ts';
import { isWhole } from '../graph.ts';
import type { CallNode, Operand, TracedGraph } from '../graph.ts';
import type { Note } from '../plan.ts';
import { isContiguous, sameShape } from '../shape.ts';
import { Fusion, isSame, place, reshaped } from './fusion.ts';
import type { FusedNodes } from './fusion.ts';
import { joinHalves, joinNorm, joinStore } from './neighbours.ts';

export function fuse(traced: TracedGraph, backend: Backend, notes: Note[]): FusedNodes {
  const fusion = new Fusion(traced, backend, notes);
  fusion.calls((node, id) => node.op === 'pointwise' && joinChain(fusion, node, id));
  fusion.calls((node, id) => node.op === 'copy' && writeThrough(fusion, node, id, { strided: true }));
  fusion.calls((node, id) => node.op === 'pointwise' && !node.into && joinHalves(fusion, node, id));
  fusion.calls((node, id) => node.op === 'pointwise' && !node.into && joinEpilogue(fusion, node, id));
  fusion.calls((node, id) => node.op === 'copy' && writeThrough(fusion, node, id, { strided: false }));
  fusion.calls((node, id) => node.op === 'scatter' && joinStore(fusion, node, id));
  fusion.calls((node, id) => joinNorm(fusion, node, id));
  return fusion.nodes;
}

function joinChain(fusion: Fusion, node: CallNode, id: number): void {
  for (const o of node.inputs) {
    const from = fusion.movable(o, id);
    const joined = from?.op === 'pointwise' ? inline(node, o, from) : undefined;
    if (!joined || !fusion.fits(joined, id)) continue;
    fusion.replace(id, joined, o.node);
    return joinChain(fusion, joined, id);
  }
}

/** Any operation can write to a contiguous part of another tensor; a pointwise one can write to any, if it is not made an epilogue. */
function writeThrough(fusion: Fusion, node: CallNode, id: number, { strided }: { strided: boolean }): void {
  const [source] = node.inputs as [Operand];
  const from = fusion.call(source.node);
  if (!from || !node.into || from.into || from.dtype !== node.dtype) return;
  if (isContiguous(node.into) === strided || (strided && from.op !== 'pointwise')) return;
  if (!fusion.isOnlyFor(source.node, id) || !isWhole(fusion.graph, source) || !fusion.readsTheSame(source.node, id))
    return;
  const into = reshaped(node.into, from.shape);
  const joined: CallNode | undefined = into && { ...from, into, shape: node.shape, label: node.label };
  if (joined && fusion.fits(joined, id)) fusion.replace(id, joined, source.node);
}

function joinEpilogue(fusion: Fusion, node: CallNode, id: number): void {
  const producers = [...new Set(node.inputs.map((o) => o.node))].sort((a, b) => b - a);
  for (const producer of producers) {
    const at = node.inputs.find((o) => o.node === producer)!;
    const from = fusion.movable(at, id);
    if (!from || !fusion.kernel(from).epilogue) continue;
    const joined = asEpilogue(node, at, from);
    if (joined && fusion.fits(joined, id)) return fusion.replace(id, joined, producer);
  }
}

/** The expression of `from` in the place of `node`'s input `at`. */
function inline(node: CallNode, at: Operand, from: CallNode): CallNode | undefined {
  const shape = node.into?.shape ?? node.shape;
  const sameAxes = sameShape(from.shape, shape);
  const expr = from.attrs['expr'] as Expr;
  if (!sameShape(at.shape, shape) || (!sameAxes && usesIndex(expr))) return undefined;
  if (node.inputs.some((o) => o.node === at.node && !isSame(o, at))) return undefined; // read in another order as well
  const seen = from.inputs.map((o) => reshaped(o, shape));
  if (seen.some((o) => o === undefined)) return undefined;
  const inputs: Operand[] = [];
  const own = substitute(node.attrs['expr'] as Expr, (i) =>
    isSame(node.inputs[i]!, at)
      ? substitute(expr, (j) => input(place(inputs, seen[j]!)))
      : input(place(inputs, node.inputs[i]!)),
  );
  return exprSize(own) > largestExpr ? undefined : { ...node, attrs: { ...node.attrs, expr: own }, inputs };
}
/** Expressions are trees, so a value used twice is written twice; this keeps repeated doubling within bounds. */
const largestExpr = 256;

/** `from` with the pointwise `node` as its epilogue. */
function asEpilogue(node: CallNode, at: Operand, from: CallNode): CallNode | undefined {
  const expr = node.attrs['expr'] as Expr;
  if (!sameShape(from.shape, node.shape) && usesIndex(expr)) return undefined;
  const inputs: Operand[] = [];
  let possible = true;
  const own = substitute(expr, (i) => {
    const o = node.inputs[i]!;
    if (isSame(o, at)) return input(0);
    const seen = o.node === at.node ? undefined : reshaped(o, from.shape);
    possible &&= seen !== undefined;
    return input(1 + (seen ? place(inputs, seen) : 0));
  });
  if (!possible) return undefined;
  return { ...from, epilogue: { expr: own, inputs }, shape: from.shape, dtype: node.dtype };
}

function exprSize(expr: Expr): number {
  let size = 0;
  walk(expr, () => size++);
  return size;
}
