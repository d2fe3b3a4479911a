// Softmax and normalisation along any axis.
import {
  add,
  expandDims,
  layerNorm,
  logSoftmax,
  mean,
  mul,
  reshape,
  rmsNorm,
  rsqrt,
  softmax,
  sub,
} from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { OnnxNode, Operator } from '../node.ts';
import { along, axisOf, flattenFrom, full } from './axes.ts';

/** Over all axes from `axis` on; also the mean and the reciprocal deviation, where they are asked for. */
function layerNormalization(node: OnnxNode): (Tensor | undefined)[] {
  const axis = axisOf(node.number('axis', -1), node.shape(0).length);
  const eps = node.number('epsilon', 1e-5);
  const x = flattenFrom(node.tensor(0), axis);
  const width = x.shape[1]!;
  const bias = node.has(2) ? reshape(node.tensor(2), [width]) : full(node.graph, [width], 0);
  const result = reshape(layerNorm(x, reshape(node.tensor(1), [width]), bias, eps), node.shape(0));
  const kept = node.shape(0).map((d, a) => (a < axis ? d : 1));
  const centre = mean(x);
  const centred = sub(x, centre);
  const deviation = rsqrt(add(mean(mul(centred, centred)), eps));
  return [result, ...[centre, deviation].map((t, i) => (node.outputs[i + 1] ? reshape(t, kept) : undefined))];
}

function rmsNormalization(node: OnnxNode): Tensor {
  const axis = axisOf(node.number('axis', -1), node.shape(0).length);
  const x = flattenFrom(node.tensor(0), axis);
  return reshape(rmsNorm(x, reshape(node.tensor(1), [x.shape[1]!]), node.number('epsilon', 1e-5)), node.shape(0));
}

/** Channels in groups, each normalised by itself; scale and bias by channel. */
function groupNormalization(node: OnnxNode): Tensor {
  const [batch, channels, ...rest] = node.shape(0) as [number, number, ...number[]];
  const groups = node.number('num_groups', 1);
  const x = reshape(node.tensor(0), [batch * groups, -1]);
  const width = x.shape[1]!;
  const { graph } = node;
  const normal = layerNorm(x, full(graph, [width], 1), full(graph, [width], 0), node.number('epsilon', 1e-5));
  const byChannel = (t: Tensor): Tensor => reshape(t, [channels, ...rest.map(() => 1)]);
  return add(mul(reshape(normal, node.shape(0)), byChannel(node.tensor(1))), byChannel(node.tensor(2)));
}

/** Up to opset 12 the axes from one on counted as one. */
const overAxis =
  (fn: (x: Tensor) => Tensor): Operator =>
  (node) => {
    const x = node.tensor(0);
    if (node.opset < 13) return reshape(fn(flattenFrom(x, node.number('axis', 1))), x.shape);
    return x.shape.length === 0 ? reshape(fn(expandDims(x, 0)), []) : along(x, node.number('axis', -1), fn);
  };

export const normOperators: Readonly<Record<string, Operator>> = {
  Softmax: overAxis(softmax),
  LogSoftmax: overAxis(logSoftmax),
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  GroupNormalization: groupNormalization,
};
