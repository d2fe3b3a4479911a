// Matrix products, and Einstein summation, which becomes one.
import { add, cast, elements, expandDims, matmul, mul, reshape, sum, transpose } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { OnnxNode, Operator } from '../node.ts';
import { quantized, shifted } from './quantize.ts';

/** Vectors count as a row on the left and as a column on the right. */
function product(a: Tensor, b: Tensor): Tensor {
  const [row, column] = [a.shape.length === 1, b.shape.length === 1];
  const full = matmul(row ? expandDims(a, 0) : a, column ? expandDims(b, 1) : b);
  const shape = full.shape.toSpliced(row ? -2 : full.shape.length, row ? 1 : 0);
  return reshape(full, column ? shape.slice(0, -1) : shape);
}

function gemm(node: OnnxNode): Tensor {
  const turned = (input: number, flag: string): Tensor =>
    node.flag(flag) ? transpose(node.tensor(input)) : node.tensor(input);
  const scaled = mul(matmul(turned(0, 'transA'), turned(1, 'transB')), node.number('alpha', 1));
  return node.has(2) ? add(scaled, mul(node.tensor(2), node.number('beta', 1))) : scaled;
}

/** `...` stands for axes without names; they are given capital letters here. */
function einsum(node: OnnxNode): Tensor {
  const [left, right] = node.text('equation', '').replaceAll(' ', '').split('->') as [string, string?];
  const terms = left.split(',');
  const extra = (term: string, rank: number): string => {
    const count = rank - term.replace('...', '').length;
    return term.replace('...', [...'ABCDEFGH'].slice(8 - count).join(''));
  };
  const operands = node.tensors().map((x, i) => diagonal(x, extra(terms[i]!, x.shape.length)));
  const all = operands.map((o) => o.labels).join('');
  const unnamed = [...new Set(all)]
    .filter((l) => l < 'a')
    .sort()
    .join('');
  const once = [...new Set(all)]
    .filter((l) => l >= 'a' && all.indexOf(l) === all.lastIndexOf(l))
    .sort()
    .join('');
  const wanted = right === undefined ? unnamed + once : right.replace('...', unnamed);
  const result = operands.reduce((a, b, i) =>
    contract(a, b, new Set([...wanted, ...operands.slice(i + 1).flatMap((o) => [...o.labels])])),
  );
  return ordered(summed(result, new Set(wanted)), wanted);
}

interface Labelled {
  readonly x: Tensor;
  readonly labels: string;
}

/** An axis that is named twice is walked along its diagonal. */
function diagonal(x: Tensor, labels: string): Labelled {
  const names = [...new Set(labels)];
  const strides = names.map((name) => [...labels].reduce((n, l, axis) => (l === name ? n + x.strides[axis]! : n), 0));
  const shape = names.map((name) => x.shape[labels.indexOf(name)]!);
  return { x: x.graph.view(x.node, { offset: x.offset, shape, strides }), labels: names.join('') };
}

function summed({ x, labels }: Labelled, kept: ReadonlySet<string>): Labelled {
  const axes = [...labels].flatMap((l, axis) => (kept.has(l) ? [] : [axis]));
  return axes.length === 0
    ? { x, labels }
    : { x: sum(x, { axes, keepDims: false }), labels: [...labels].filter((l) => kept.has(l)).join('') };
}

const ordered = ({ x, labels }: Labelled, order: string): Tensor =>
  transpose(
    x,
    [...order].map((l) => labels.indexOf(l)),
  );

/** Two operands as one matrix product: axes of both that are kept are batches, the others of both are summed over. */
function contract(a: Labelled, b: Labelled, kept: ReadonlySet<string>): Labelled {
  const [left, right] = [summed(a, new Set([...kept, ...b.labels])), summed(b, new Set([...kept, ...a.labels]))];
  const shared = [...left.labels].filter((l) => right.labels.includes(l));
  const batch = shared.filter((l) => kept.has(l)).join('');
  const inner = shared.filter((l) => !kept.has(l)).join('');
  const own = ({ labels }: Labelled): string => [...labels].filter((l) => !shared.includes(l)).join('');
  const size = ({ x, labels }: Labelled, names: string): number =>
    elements([...names].map((l) => x.shape[labels.indexOf(l)]!));
  const matrix = (o: Labelled, rows: string, columns: string): Tensor =>
    reshape(ordered(o, batch + rows + columns), [size(o, batch), size(o, rows), size(o, columns)]);
  const x = matmul(matrix(left, own(left), inner), matrix(right, inner, own(right)));
  const labels = batch + own(left) + own(right);
  const shape = [...labels].map((l) => (left.labels.includes(l) ? size(left, l) : size(right, l)));
  return { x: reshape(x, shape), labels };
}

/** Products of small integers are exact in f32 up to 2²⁴. */
const matmulInteger: Operator = (node) => cast(product(shifted(node, 0, 2), shifted(node, 1, 3)), 'i32');

/** Whole numbers are multiplied, and what comes out is quantised again: inputs are a, its scale and zero point, b likewise, then y's. */
function qLinearMatmul(node: OnnxNode): Tensor {
  const whole = product(shifted(node, 0, 2), shifted(node, 3, 5));
  const scaled = mul(mul(whole, node.as('f32', 1)), node.as('f32', 4));
  return quantized(node, scaled, 6, 7);
}

export const matmulOperators: Readonly<Record<string, Operator>> = {
  MatMul: (node) => product(node.tensor(0), node.tensor(1)),
  Gemm: gemm,
  Einsum: einsum,
  MatMulInteger: matmulInteger,
  QLinearMatMul: qLinearMatmul,
};
