// Kernels that do what stands before or after them: a product of two maps that takes the halves of its columns together, an
// operation that writes its result to a cache as well, a product that norms the rows that it reads.
import { input, substitute, usesIndex } from '../expr.ts';
import type { Expr } from '../expr.ts';
import { isWhole } from '../graph.ts';
import type { CallNode, Operand } from '../graph.ts';
import type { ScalarRef } from '../plan.ts';
import { elements, rowMajor, sameLayout, sameShape } from '../shape.ts';
import type { Layout } from '../shape.ts';
import type { Fusion } from './fusion.ts';
import { place, reshaped } from './fusion.ts';

/** `node` is pointwise in the first and the second half of a product's columns, such as activation(gate) · up. */
export function joinHalves(fusion: Fusion, node: CallNode, id: number): void {
  for (const producer of new Set(node.inputs.map((o) => o.node))) {
    const from = fusion.call(producer);
    if (from?.op !== 'matmul' || !fusion.kernel(from).halves || from.into || from.epilogue) continue;
    if (!fusion.isOnlyFor(producer, id) || !fusion.readsTheSame(producer, id)) continue;
    const joined = asHalves(node, producer, from);
    if (joined && fusion.fits(joined, id)) return fusion.replace(id, joined, producer);
  }
}

function asHalves(node: CallNode, producer: number, from: CallNode): CallNode | undefined {
  const expr = node.attrs['expr'] as Expr;
  const columns = from.shape.at(-1)! / 2;
  const shape = [...from.shape.slice(0, -1), columns];
  const strides = rowMajor(from.shape);
  const halves = [0, columns].map((offset): Layout => ({ offset, shape, strides }));
  if (elements(shape) !== elements(node.shape) || (!sameShape(shape, node.shape) && usesIndex(expr))) return undefined;
  const inputs: Operand[] = [];
  const found = new Set<number>();
  const numbers = node.inputs.map((o): number | undefined => {
    const seen = reshaped(o, shape);
    if (!seen || o.node !== producer) return seen && 2 + place(inputs, seen);
    const half = halves.findIndex((layout) => sameLayout(layout, seen));
    if (half >= 0) found.add(half);
    return half < 0 ? undefined : half;
  });
  if (found.size < 2 || numbers.includes(undefined)) return undefined;
  const own = substitute(expr, (i) => input(numbers[i]!));
  return { ...from, epilogue: { expr: own, inputs, halves: true }, shape, dtype: node.dtype };
}

/** `node` is a scatter: the operation that makes its rows writes them there. */
export function joinStore(fusion: Fusion, node: CallNode, id: number): void {
  const start = node.attrs['start'] as number | ScalarRef | undefined;
  if (start === undefined || node.attrs['mode'] !== 'set') return;
  const [rows] = node.inputs as [Operand];
  const source = unrounded(fusion, rows, id) ?? rows;
  const from = fusion.call(source.node);
  const into = node.into!;
  if (!from || from.into || !fusion.kernel(from).stores || !occurOnce(source)) return;
  if (fusion.uses(from, into.node) || fusion.isUsedBetween(into.node, source.node, id)) return;
  const { offset, shape, strides } = source;
  const joined = { ...from, stores: [...(from.stores ?? []), { from: { offset, shape, strides }, start, into }] };
  if (!fusion.fits(joined, source.node)) return;
  if (source !== rows) fusion.replace(id, { ...node, inputs: [source] }, rows.node);
  fusion.replace(source.node, joined, id);
}

/** What is rounded to rows that `reader` alone reads: storing it there rounds it too. */
function unrounded(fusion: Fusion, rows: Operand, reader: number): Operand | undefined {
  const cast = fusion.call(rows.node);
  if (cast?.op !== 'pointwise' || cast.into || cast.dtype !== 'f16') return undefined;
  const expr = cast.attrs['expr'] as Expr;
  const value = expr.kind === 'cast' && expr.dtype === 'f32' ? expr.arg : expr;
  if (value.kind !== 'input' || !isWhole(fusion.graph, rows) || !fusion.isOnlyFor(rows.node, reader)) return undefined;
  const source = cast.inputs[value.index]!;
  return fusion.call(source.node)?.dtype === 'f32' ? reshaped(source, rows.shape) : undefined;
}

/** Is every element of a layout another one? Here: does each axis step over all that the axes within it reach? */
function occurOnce({ shape, strides }: Layout): boolean {
  const axes = strides.map((stride, i) => ({ stride, size: shape[i]! })).filter(({ size }) => size > 1);
  axes.sort((a, b) => a.stride - b.stride);
  return axes.every(({ stride }, i) => stride >= (i === 0 ? 1 : axes[i - 1]!.stride * axes[i - 1]!.size));
}

/** `node` is a norm: the first operation that reads its rows norms them, and leaves them for the others. */
export function joinNorm(fusion: Fusion, node: CallNode, id: number): void {
  if ((node.op !== 'layerNorm' && node.op !== 'rmsNorm') || node.epilogue || node.stores || node.into) return;
  const [to] = fusion.readersOf(id);
  const reader = to === undefined ? undefined : fusion.call(to);
  if (!reader || to === undefined || reader.prologue || !fusion.kernel(reader).prologue) return;
  const [rows, ...others] = reader.inputs as [Operand];
  const [x, ...inputs] = node.inputs as [Operand];
  const seen = reshaped(x, rows.shape);
  const isAll = rows.node === id && isWhole(fusion.graph, rows) && rows.shape.at(-1) === node.shape.at(-1);
  const readsTwice = fusion.uses({ ...reader, inputs: others }, id);
  if (!seen || !isAll || readsTwice || elements(reader.shape) === 0 || !fusion.readsTheSame(id, to)) return;
  const isOwn = fusion.isOnlyFor(id, to);
  const prologue = { op: node.op, attrs: node.attrs, inputs, ...(!isOwn && { output: { ...rows } }) };
  const joined: CallNode = { ...reader, inputs: [seen, ...others], prologue };
  if (fusion.fits(joined, to)) fusion.replace(to, joined, id);
}
