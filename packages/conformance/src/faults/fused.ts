// Faults of fused operations: the formula slightly wrong, a case of masking forgotten, heads or positions mixed up.
import {
  abs,
  add,
  attention,
  broadcastTo,
  crossEntropy,
  crossEntropyGradient,
  div,
  exp,
  expandDims,
  log,
  max,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  reshape,
  rope,
  rsqrt,
  slice,
  softmax,
  sqrt,
  sub,
  sum,
  transpose,
} from '@transept/tensor';
import type { Attrs, Call, ScalarRef, Tensor } from '@transept/tensor';
import type { KernelFault, Spoils } from './fault.ts';

type Parts = Omit<KernelFault, 'op' | 'name'>;
const of = (op: KernelFault['op'], faults: Readonly<Record<string, Parts>>): KernelFault[] =>
  Object.entries(faults).map(([name, parts]) => ({ op, name, ...parts }));

const attrs = (change: (attrs: Attrs, call: Call) => Attrs): Parts => ({
  call: (call) => ({ ...call, attrs: change(call.attrs, call) }),
});
/** Change all elements of rows, `width` elements each. */
const rowsOf = (change: (row: number[], index: number) => unknown): Parts => ({
  spoil: ({ call, out, at }: Spoils) => {
    const width = call.output.shape.at(-1)!;
    for (let r = 0; r * width < at.length; r++) {
      const row: number[] = Array.from(at.subarray(r * width, (r + 1) * width), (place) => out[place]!);
      change(row, r);
      row.forEach((x, c) => (out[at[r * width + c]!] = x));
    }
  },
});

const softmaxFaults = of('softmax', {
  'the largest value not subtracted': { define: ([x]) => div(exp(x!), sum(exp(x!))) },
  'the last element not in the sum': {
    define: ([x]) => {
      const e = exp(sub(x!, max(x!)));
      return x!.shape.at(-1)! < 2 ? div(e, sum(e)) : div(e, sum(slice(e, -1, 0, x!.shape.at(-1)! - 1)));
    },
  },
  'the largest of the first half alone': {
    define: ([x]) => {
      const m = max(slice(x!, -1, 0, Math.ceil(x!.shape.at(-1)! / 2)));
      const e = exp(sub(x!, m));
      return div(e, sum(e));
    },
  },
  'over the wrong axis': { define: ([x]) => (x!.shape.length < 2 ? softmax(x!) : transpose(softmax(transpose(x!)))) },
  'not scaled again when a larger value comes': {
    define: ([x]) => {
      const n = x!.shape.at(-1)!;
      if (n < 65) return softmax(x!);
      const [m, first] = [max(x!), max(slice(x!, -1, 0, 64))];
      const total = add(sum(exp(sub(slice(x!, -1, 0, 64), first))), sum(exp(sub(slice(x!, -1, 64, n), m))));
      return div(exp(sub(x!, m)), total);
    },
  },
});

const logSoftmaxFaults = of('logSoftmax', {
  'the largest value not subtracted': { define: ([x]) => sub(x!, log(sum(exp(x!)))) },
  'the logarithm of rounded probabilities': { define: ([x]) => log(add(softmax(x!), 1e-7)) },
  'the largest value left in': { define: ([x]) => sub(x!, log(sum(exp(sub(x!, max(x!)))))) },
});

const variance = (centred: Tensor, by: (n: number) => number): Tensor =>
  div(sum(mul(centred, centred)), by(centred.shape.at(-1)!));
const layerNormFaults = of('layerNorm', {
  'the variance of a sample': {
    define: ([x, w, b], { eps }) => {
      const c = sub(x!, mean(x!));
      return add(
        mul(
          mul(
            c,
            rsqrt(
              add(
                variance(c, (n) => Math.max(n - 1, 1)),
                eps as number,
              ),
            ),
          ),
          w!,
        ),
        b!,
      );
    },
  },
  'eps outside of the root': {
    define: ([x, w, b], { eps }) => {
      const c = sub(x!, mean(x!));
      return add(mul(div(c, add(sqrt(variance(c, (n) => n)), eps as number)), w!), b!);
    },
  },
  'eps of 1e-6 always': attrs((a) => ({ ...a, eps: 1e-6 })),
  'the bias forgotten': {
    define: ([x, w], { eps }) => {
      const c = sub(x!, mean(x!));
      return mul(
        mul(
          c,
          rsqrt(
            add(
              variance(c, (n) => n),
              eps as number,
            ),
          ),
        ),
        w!,
      );
    },
  },
  'the mean not subtracted': {
    define: ([x, w, b], { eps }) =>
      add(
        mul(
          mul(
            x!,
            rsqrt(
              add(
                variance(sub(x!, mean(x!)), (n) => n),
                eps as number,
              ),
            ),
          ),
          w!,
        ),
        b!,
      ),
  },
});

const rmsNormFaults = of('rmsNorm', {
  'the mean subtracted': {
    define: ([x, w], { eps }) => {
      const c = sub(x!, mean(x!));
      return mul(
        mul(
          c,
          rsqrt(
            add(
              variance(c, (n) => n),
              eps as number,
            ),
          ),
        ),
        w!,
      );
    },
  },
  'the sum of squares not divided': {
    define: ([x, w], { eps }) =>
      mul(
        mul(
          x!,
          rsqrt(
            add(
              variance(x!, () => 1),
              eps as number,
            ),
          ),
        ),
        w!,
      ),
  },
  'eps forgotten': attrs((a) => ({ ...a, eps: 1e-30 })),
  'one added to the weight': {
    define: ([x, w], { eps }) =>
      mul(
        mul(
          x!,
          rsqrt(
            add(
              variance(x!, (n) => n),
              eps as number,
            ),
          ),
        ),
        add(w!, 1),
      ),
  },
});

const ropeFaults = of('rope', {
  'turned the other way': {
    define: ([x, cos, sin], { interleaved }) => rope(x!, cos!, neg(sin!), { interleaved: interleaved as boolean }),
  },
  'pairs taken for halves': attrs((a) => ({ ...a, interleaved: false })),
  'halves taken for pairs': attrs((a) => ({ ...a, interleaved: true })),
  'the rest of a head cleared': {
    spoil: ({ call, out, at }) => {
      const [width, rotated] = [call.output.shape.at(-1)!, 2 * call.inputs[1]!.shape.at(-1)!];
      at.forEach((place, i) => i % width >= rotated && (out[place] = 0));
    },
  },
  'every position turned as the first': {
    call: (call) => ({
      ...call,
      inputs: call.inputs.map((v, i) => (i > 0 ? { ...v, strides: v.strides.with(1, 0) } : v)),
    }),
  },
});

interface AttentionAttrs {
  readonly scale: number;
  readonly causal: boolean;
  readonly start: number | ScalarRef;
  readonly keys: number | ScalarRef;
  readonly mask: boolean;
  readonly bias: boolean;
  readonly window?: number;
  readonly softcap?: number;
}
const optionsOf = (inputs: readonly Tensor[], given: Attrs): Parameters<typeof attention>[3] & {} => {
  const { mask, bias, ...rest } = given as unknown as AttentionAttrs;
  return { ...rest, ...(mask && { mask: inputs[3]! }), ...(bias && { bias: inputs[mask ? 4 : 3]! }) };
};
const plus = (value: Attrs[string], by: number): Attrs[string] => (typeof value === 'number' ? value + by : value);

const attentionFaults = of('attention', {
  'not scaled': attrs((a) => ({ ...a, scale: 1 })),
  'scaled by the size and not its root': attrs((a) => ({ ...a, scale: (a['scale'] as number) ** 2 })),
  'a key too many is seen': attrs((a) => ({ ...a, start: plus(a['start']!, 1) })),
  'a query does not see its own key': attrs((a) => ({ ...a, start: plus(a['start']!, -1) })),
  'causality forgotten': attrs((a) => ({ ...a, causal: false })),
  'the start of the first run kept': { scalars: (_, first) => first },
  'all keys count': attrs((a, { inputs }) => ({ ...a, keys: inputs[1]!.shape[1]! })),
  'the window one key wider': attrs((a) => ('window' in a ? { ...a, window: plus(a['window']!, 1) } : a)),
  'the window forgotten': attrs(({ window: _, ...a }) => a),
  'the softcap forgotten': attrs(({ softcap: _, ...a }) => a),
  'the mask forgotten': {
    call: (call) =>
      call.attrs['mask']
        ? { ...call, attrs: { ...call.attrs, mask: false }, inputs: call.inputs.toSpliced(3, 1) }
        : call,
  },
  'the mask of the first sequence for all': {
    call: (call) =>
      call.attrs['mask']
        ? { ...call, inputs: call.inputs.map((v, i) => (i === 3 ? { ...v, strides: v.strides.with(0, 0) } : v)) }
        : call,
  },
  'the bias forgotten': {
    call: (call) =>
      call.attrs['bias'] ? { ...call, attrs: { ...call.attrs, bias: false }, inputs: call.inputs.slice(0, -1) } : call,
  },
  'query heads dealt to groups in turn': {
    define: (inputs, a) => {
      const [q, k, v] = inputs as [Tensor, Tensor, Tensor];
      const [heads, groups] = [q.shape[2]!, k.shape[2]!];
      const dealt = (x: Tensor): Tensor => {
        const [b, s, , d] = x.shape as unknown as [number, number, number, number];
        return reshape(broadcastTo(expandDims(x, 2), [b, s, heads / groups, groups, d]), [b, s, heads, d]);
      };
      return heads === groups
        ? attention(q, k, v, optionsOf(inputs, a))
        : attention(q, dealt(k), dealt(v), optionsOf(inputs, a));
    },
  },
  'the mean of all for a query that sees none': rowsOf((row) => row.some((x) => x !== 0) || row.fill(0.25)),
  'NaN for a query that sees none': rowsOf((row) => row.some((x) => x !== 0) || row.fill(NaN)),
  'keys after the 64th never seen': attrs((a, { inputs }) =>
    inputs[1]!.shape[1]! > 64 && typeof a['keys'] === 'number' ? { ...a, keys: 64 } : a,
  ),
  'values of the first head for all': {
    call: (call) => ({
      ...call,
      inputs: call.inputs.map((v, i) => (i === 2 ? { ...v, strides: v.strides.with(2, 0) } : v)),
    }),
  },
  'keys of the first sequence for all': {
    call: (call) => ({
      ...call,
      inputs: call.inputs.map((v, i) => (i === 1 ? { ...v, strides: v.strides.with(0, 0) } : v)),
    }),
  },
  'rounded to f16': { spoil: ({ out, at }) => at.forEach((place) => (out[place] = Math.f16round(out[place]!))) },
});

const argmaxFaults = of('argmax', {
  'the last of equal ones': {
    spoil: ({ call, out, at, memory }) => {
      const x = call.inputs[0]!;
      const [width, step, from] = [x.shape.at(-1)!, x.strides.at(-1)!, memory(x)];
      if (x.shape.length !== 2 || call.epilogue) return;
      at.forEach((place, row) => {
        const start = x.offset + row * x.strides[0]!;
        const best = from[start + out[place]! * step]!;
        for (let i = out[place]!; i < width; i++) if (from[start + i * step] === best) out[place] = i;
      });
    },
  },
  'one too far': {
    spoil: ({ call, out, at }) => at.forEach((place) => !call.epilogue && (out[place] = out[place]! + 1)),
  },
  'begins at 0, and so misses what is below': {
    spoil: ({ call, out, at, memory }) => {
      const x = call.inputs[0]!;
      if (x.shape.length !== 2 || call.epilogue) return;
      at.forEach((place, row) => {
        if (memory(x)[x.offset + row * x.strides[0]! + out[place]! * x.strides[1]!]! < 0) out[place] = 0;
      });
    },
  },
  'elements from 1024 on ignored': {
    call: (call) => ({
      ...call,
      inputs: call.inputs.map((v) => ({ ...v, shape: v.shape.with(-1, Math.min(1024, v.shape.at(-1)!)) })),
    }),
  },
  'the place in f16': { spoil: ({ out, at }) => at.forEach((place) => (out[place] = Math.f16round(out[place]!))) },
  'the largest size in place of the largest value': {
    define: ([x]) => x!.graph.call('argmax', [abs(x!)], {}, x!.shape.slice(0, -1), 'i32'),
  },
});

const labelOf = (inputs: readonly Tensor[], change: (labels: Tensor, classes: number) => Tensor): Tensor[] =>
  inputs.map((x, i) => (i === 1 ? change(x, inputs[0]!.shape.at(-1)!) : x));
/** The operation with other labels. */
const relabelled = (change: (labels: Tensor, classes: number) => Tensor): Parts => ({
  define: (inputs, { smoothing }) => {
    const [x, labels, gradient] = labelOf(inputs, change) as [Tensor, Tensor, Tensor | undefined];
    const options = { smoothing: smoothing as number };
    return gradient ? crossEntropyGradient(x, labels, gradient, options) : crossEntropy(x, labels, options);
  },
});
const lossFaults: Readonly<Record<string, Parts>> = {
  'labels below 0 taken for the first class': relabelled((labels) => maximum(labels, 0)),
  'labels from V on taken for the last class': relabelled((labels, classes) => minimum(labels, classes - 1)),
  'the label one too far': relabelled((labels) => add(labels, 1)),
  'the label of the first row for all': {
    call: (call) => ({
      ...call,
      inputs: call.inputs.map((v, i) => (i === 1 ? { ...v, strides: v.strides.map(() => 0) } : v)),
    }),
  },
  'smoothing forgotten': attrs((a) => ({ ...a, smoothing: 0 })),
  'smoothing with the weight of the label kept': {
    define: (inputs, { smoothing }) => {
      const [x, labels, gradient] = inputs as [Tensor, Tensor, Tensor | undefined];
      const share = smoothing as number;
      const both = (s: number): Tensor =>
        gradient
          ? crossEntropyGradient(x, labels, gradient, { smoothing: s })
          : crossEntropy(x, labels, { smoothing: s });
      return share > 0 ? add(both(0), mul(both(1), share)) : both(0);
    },
  },
};

const crossEntropyFaults = of('crossEntropy', {
  ...lossFaults,
  'the largest value not subtracted': {
    define: ([x, labels], { smoothing }) => {
      const total = (of: Tensor): Tensor => log(sum(exp(of), { keepDims: false }));
      const shift = sub(sub(total(x!), total(sub(x!, max(x!)))), max(x!, { keepDims: false }));
      return add(crossEntropy(x!, labels!, { smoothing: smoothing as number }), shift);
    },
  },
  'the last element not in the sum': {
    define: ([x, labels], { smoothing }) => {
      const [width, options] = [x!.shape.at(-1)!, { smoothing: smoothing as number }];
      const short = width > 2 ? slice(x!, -1, 0, width - 1) : x!;
      return crossEntropy(short, labels!, options);
    },
  },
});

const crossEntropyGradientFaults = of('crossEntropyGradient', {
  ...lossFaults,
  'the gradient of the losses forgotten': {
    define: ([x, labels, gradient], { smoothing }) =>
      crossEntropyGradient(x!, labels!, add(mul(gradient!, 0), 1), { smoothing: smoothing as number }),
  },
  'the label not subtracted': { define: ([x, , gradient]) => mul(softmax(x!), expandDims(gradient!, -1)) },
});

export const fusedFaults: readonly KernelFault[] = [
  ...softmaxFaults,
  ...logSoftmaxFaults,
  ...layerNormFaults,
  ...rmsNormFaults,
  ...ropeFaults,
  ...attentionFaults,
  ...argmaxFaults,
  ...crossEntropyFaults,
  ...crossEntropyGradientFaults,
];
