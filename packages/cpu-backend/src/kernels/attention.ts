// attention: q, k and v with contiguous heads, everything else strided.
import type { Kernel, ScalarRef, View } from '@transept/tensor';
import { byteStrides, floatWord } from '../step.ts';
import type { Placement, Step } from '../step.ts';
import { compileEpilogue } from './expression.ts';

/** Eight words of `assembly/attention.ts`, however wide these are. */
const recordBytes = 64;

/** Rows that are taken together, and what their scores may take. */
const mostTogether = 16;
const scoresBytes = 128 * 1024;

export const attention: Kernel<Step> = {
  epilogue: true,
  declines({ inputs }) {
    const odd = inputs.slice(0, 3).findIndex((x) => x.shape[3]! > 1 && x.strides[3] !== 1);
    return odd < 0
      ? undefined
      : `${'qkv'[odd]} has stride ${inputs[odd]!.strides[3]} within a head; it must be contiguous there`;
  },
  prepare(call, plan) {
    const { attrs, inputs, output } = call;
    const [q, k, v, ...rest] = inputs;
    if (!q || !k || !v) throw new TypeError('attention: needs q, k and v');
    const mask = attrs['mask'] ? rest.shift() : undefined;
    const bias = attrs['bias'] ? rest.shift() : undefined;
    const [batch, queries, heads, size] = q.shape as readonly [number, number, number, number];
    const [, keys, groups] = k.shape as readonly [number, number, number, number];
    const valueSize = v.shape[3]!;
    const epilogue = compileEpilogue(call, 'f32', plan);
    // A row of scores has room for whole vectors and one number more.
    const scoresRow = Math.ceil(keys / 4) * 16 + 16;
    const together = Math.max(1, Math.min(mostTogether, Math.floor(scoresBytes / scoresRow), batch * heads * queries));
    const recordsAt = epilogue?.scratchBytes ?? 0;
    const scoresAt = recordsAt + (together + 1) * recordBytes;
    const listAt = scoresAt + together * scoresRow;
    // B, T or S, and heads; of masks all four.
    const placed = (at: Placement, view: View) => [at.address(view), ...byteStrides(view.strides.slice(0, 3))];
    const optional = (at: Placement, view: View | undefined) =>
      view ? [at.address(view), ...byteStrides(view.strides)] : [0, 0, 0, 0, 0];
    return {
      kernel: 'attention',
      variant: `${together} rows at a time`,
      work: batch * heads * queries * keys * (size + valueSize),
      scratchBytes: listAt + (mask ? keys * 4 + 16 : 0),
      parameters: (at) => [
        batch,
        queries,
        heads,
        keys,
        groups,
        size,
        valueSize,
        floatWord(attrs['scale'] as number),
        attrs['causal'] ? 1 : 0,
        at.scalar(attrs['start'] as number | ScalarRef),
        at.scalar(attrs['keys'] as number | ScalarRef),
        (attrs['window'] as number | undefined) ?? 0,
        floatWord((attrs['softcap'] as number | undefined) ?? 0),
        ...placed(at, q),
        ...placed(at, k),
        ...placed(at, v),
        ...optional(at, mask),
        ...optional(at, bias),
        at.address(output),
        epilogue?.place(at) ?? 0,
        at.scratch,
        at.scratchBytes,
        scoresAt,
        listAt,
        recordsAt,
        scoresRow,
        together,
      ],
    };
  },
};
