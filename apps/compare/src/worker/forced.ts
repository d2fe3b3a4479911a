// Forced decoding: the decoder is given a whole target at once. Pairs of unequal length share one pass, padded at the end; what
// the padding gives is cut away.
import { forward } from '@transept/generate';
import type { LoadedModel } from '@transept/models';
import type { Attention, Forced, IdPair } from '../protocol.ts';

interface Context {
  readonly signal: AbortSignal;
  give(buffer: ArrayBuffer): void;
}

/** The logits of every token of each target but its first. */
export async function force(loaded: LoadedModel, pairs: readonly IdPair[], { signal, give }: Context): Promise<Forced> {
  const sources = rectangle(pairs.map((p) => p.sourceIds));
  // The last token is what the one before it leads to, and leads to nothing itself.
  const targets = rectangle(pairs.map((p) => p.targetIds.slice(0, -1)));
  const inputs = { inputIds: sources.rows, attentionMask: sources.mask, decoderInputIds: targets.rows };
  const { logits } = await forward(loaded, inputs, { signal });
  const [, longest, vocabSize] = logits!.shape as [number, number, number];
  return {
    vocabSize,
    logits: pairs.map(({ targetIds }, r) => {
      const start = r * longest * vocabSize;
      const own = logits!.data.slice(start, start + (targetIds.length - 1) * vocabSize);
      give(own.buffer);
      return own;
    }),
  };
}

/** The cross-attention of one pair, for every layer and head. */
export async function attend(loaded: LoadedModel, pair: IdPair, { signal, give }: Context): Promise<Attention> {
  const inputs = { inputIds: [pair.sourceIds], decoderInputIds: [pair.targetIds.slice(0, -1)] };
  const outputs = await forward(loaded, inputs, { attentions: true, signal });
  const layers = Object.keys(outputs)
    .filter((name) => name.startsWith('cross_attentions.'))
    .map((_, layer) => outputs[`cross_attentions.${layer}`]!);
  const [, heads, targets, sources] = layers[0]!.shape as [number, number, number, number];
  const weights = new Float32Array(layers.length * heads * targets * sources);
  layers.forEach(({ data }, layer) => weights.set(data, layer * data.length));
  give(weights.buffer);
  return { layers: layers.length, heads, targets, sources, weights };
}

/** Rows made equally long, and a mask that says where each is itself. */
function rectangle(rows: readonly (readonly number[])[]): { rows: number[][]; mask: number[][] } {
  const longest = Math.max(...rows.map((row) => row.length));
  const column = Array.from({ length: longest }, (_, i) => i);
  return {
    rows: rows.map((row) => column.map((i) => row[i] ?? row.at(-1) ?? 0)),
    mask: rows.map((row) => column.map((i) => Number(i < row.length))),
  };
}
