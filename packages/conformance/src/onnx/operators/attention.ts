// Attention in ONNX's layout, [B, H, T, D] or [B, T, H·D], with what came before it, masks of two kinds, and its scores on request.
import {
  add,
  attention,
  attentionWeights,
  broadcastTo,
  cast,
  concat,
  div,
  expandDims,
  expr,
  gather,
  less,
  matmul,
  mul,
  pad,
  pointwise,
  reshape,
  rope,
  tanh,
  transpose,
  where,
} from '@transept/tensor';
import type { AttentionOptions, Tensor } from '@transept/tensor';
import type { OnnxNode, Operator } from '../node.ts';
import { positions } from './axes.ts';

const { apply, index, input } = expr;

/** [B, T, H·D] or [B, H, T, D] → [B, T, H, D]. */
function perHead(x: Tensor, heads: number): Tensor {
  if (x.shape.length === 4) return transpose(x, [0, 2, 1, 3]);
  const [b, t, width] = x.shape as [number, number, number];
  return reshape(x, [b, t, heads, width / heads]);
}

/** The way back. */
const asGiven = (x: Tensor, rank: number): Tensor =>
  rank === 4 ? transpose(x, [0, 2, 1, 3]) : reshape(x, [x.shape[0]!, x.shape[1]!, -1]);

function onnxAttention(node: OnnxNode): (Tensor | undefined)[] {
  const rank = node.shape(0).length;
  const [queryHeads, keyHeads] = [node.number('q_num_heads', 0), node.number('kv_num_heads', 0)];
  const q = perHead(node.tensor(0), queryHeads); // [B, T, H, D]
  const past = node.has(4) ? node.shape(4)[2]! : 0;
  const withPast = (x: Tensor, before: number): Tensor =>
    node.has(before) ? concat([perHead(node.tensor(before), keyHeads), x], 1) : x;
  const k = withPast(perHead(node.tensor(1), keyHeads), 4); // [B, S, G, D]
  const v = withPast(perHead(node.tensor(2), keyHeads), 5);
  const [, T, , D] = q.shape as readonly [number, number, number, number];
  const S = k.shape[1]!;
  const lengths = node.has(6) ? node.as('i32', 6) : undefined; // [B]
  const causal = node.flag('is_causal');
  const softcap = node.number('softcap', 0);
  const { bias, mask } = masks(node, S, lengths, causal ? T : undefined);
  const options: AttentionOptions = {
    scale: node.number('scale', 1 / Math.sqrt(D)),
    // With lengths, the last query stands at the last key that counts; `masks` sees to that.
    causal: causal && !lengths,
    start: past,
    ...(softcap !== 0 && { softcap }),
    ...(bias && { bias }),
    ...(mask && { mask }),
  };
  const present = (x: Tensor, output: number): Tensor | undefined =>
    node.outputs[output] ? transpose(x, [0, 2, 1, 3]) : undefined;
  return [
    asGiven(attention(q, k, v, options), rank),
    present(k, 1),
    present(v, 2),
    node.outputs[3] ? scores(node, q, k, options) : undefined,
  ];
}

/**
 * What is added to scores, and which keys count. A mask of numbers says both: −∞ is for keys that do not count, since devices need
 * not know infinities. `queries`: how many there are, where lengths make them causal.
 */
function masks(
  node: OnnxNode,
  S: number,
  lengths: Tensor | undefined,
  queries: number | undefined,
): { bias?: Tensor; mask?: Tensor } {
  const tests: Tensor[] = [];
  let bias: Tensor | undefined;
  if (node.has(3)) {
    const [shape, values] = [node.shape(3), node.values(3)];
    // Keys beyond the mask do not count.
    const missing = S - shape.at(-1)!;
    const widened = (t: Tensor): Tensor =>
      missing > 0
        ? pad(
            t,
            [],
            shape.map((_, a) => (a === shape.length - 1 ? missing : 0)),
          )
        : t;
    if (node.kind(3).name === 'bool') tests.push(widened(node.tensor(3)));
    else {
      const { dtype } = node.kind(3);
      bias = widened(
        cast(
          node.add(
            'bias',
            shape,
            values.map((x) => (x === -Infinity ? 0 : x)),
            dtype,
          ),
          'f32',
        ),
      );
      if (missing > 0 || values.includes(-Infinity))
        tests.push(
          widened(
            node.add(
              'visible',
              shape,
              values.map((x) => Number(x !== -Infinity)),
              'i32',
            ),
          ),
        );
    }
  }
  if (lengths) {
    const [batch] = lengths.shape as [number];
    const shape = [batch, 1, queries ?? 1, S];
    const length = reshape(lengths, [batch, 1, 1, 1]);
    tests.push(less(positions(node.graph, shape, 3), length));
    if (queries !== undefined)
      tests.push(less(positions(node.graph, shape, 3), add(positions(node.graph, shape, 2), add(length, 1 - queries))));
  }
  const all =
    tests.length > 0 ? tests.reduce((a, b) => pointwise(apply('and', input(0), input(1)), [a, b])) : undefined;
  return { ...(bias && { bias }), ...(all && { mask: all }) };
}

/** The scores after 0 the product, 1 the soft cap, 2 the mask, 3 the softmax: [B, H, T, S]. */
function scores(node: OnnxNode, q: Tensor, k: Tensor, options: AttentionOptions): Tensor {
  const stage = node.number('qk_matmul_output_mode', 0);
  if (stage === 3) return attentionWeights(q, k, options);
  const [, , heads] = q.shape as readonly [number, number, number];
  const [B, S, G, D] = k.shape as readonly [number, number, number, number];
  const keys = reshape(broadcastTo(expandDims(k, 3), [B, S, G, heads / G, D]), [B, S, heads, D]);
  const product = mul(matmul(transpose(q, [0, 2, 1, 3]), transpose(keys, [0, 2, 3, 1])), options.scale!); // [B, H, T, S]
  const { softcap, bias, mask, causal, start } = options;
  if (stage === 0) return product;
  const capped = softcap === undefined ? product : mul(tanh(div(product, softcap)), softcap);
  if (stage === 1) return capped;
  const biased = bias ? add(capped, bias) : capped;
  const seen = mask ? where(mask, biased, -Infinity) : biased;
  if (!causal) return seen;
  const before = apply('lessEqual', index(3), apply('add', index(2), expr.constant(start as number, 'i32')));
  return pointwise(apply('select', before, input(0), expr.constant(-Infinity)), [seen]);
}

/** Angles by position, or given for every token. */
function rotary(node: OnnxNode): Tensor {
  const rank = node.shape(0).length;
  const x = perHead(node.tensor(0), node.number('num_heads', 0)); // [B, T, H, D]
  const angles = (at: number): Tensor => {
    const table = node.tensor(at); // [positions, R/2], or [B, T, R/2]
    return expandDims(node.has(3) ? gather(table, node.as('i32', 3)) : table, 2);
  };
  return asGiven(rope(x, angles(1), angles(2), { interleaved: node.flag('interleaved') }), rank);
}

export const attentionOperators: Readonly<Record<string, Operator>> = {
  Attention: onnxAttention,
  FlexAttention: onnxAttention,
  RotaryEmbedding: rotary,
};
