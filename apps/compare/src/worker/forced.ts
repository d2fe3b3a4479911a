// Forced decoding: the decoder is given a whole target at once. Pairs of unequal length share one pass, padded at the end; what
// comes of the padding is cut away.
import { forward } from '@transept/generate';
import type { ForwardInputs } from '@transept/generate';
import type { LoadedModel } from '@transept/models';
import type { Attention, Forced, IdPair } from '../protocol.ts';

interface Context {
  readonly signal: AbortSignal;
  give(buffer: ArrayBuffer): void;
}

/** The logits of every token of each target but its first. */
export async function force(loaded: LoadedModel, pairs: readonly IdPair[], { signal, give }: Context): Promise<Forced> {
  const { logits } = await forward(loaded, rectangles(pairs), { signal });
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
  const outputs = await forward(loaded, rectangles([pair]), { attentions: true, signal });
  const maps = Object.keys(outputs)
    .filter((name) => name.startsWith('cross_attentions.'))
    .map((_, layer) => outputs[`cross_attentions.${layer}`]!); // [1, H, T, S] each, with padding
  const [, heads, rows, columns] = maps[0]!.shape as [number, number, number, number];
  const [targets, sources] = [pair.targetIds.length - 1, pair.sourceIds.length];
  const weights = new Float32Array(maps.length * heads * targets * sources);
  let at = 0;
  for (const { data } of maps)
    for (let h = 0; h < heads; h++)
      for (let t = 0; t < targets; t++, at += sources) {
        const start = (h * rows + t) * columns;
        weights.set(data.subarray(start, start + sources), at);
      }
  give(weights.buffer);
  return { layers: maps.length, heads, targets, sources, weights };
}

/** Pairs as the inputs of a pass. The last token of a target is what the one before it leads to, and leads to nothing itself. */
function rectangles(pairs: readonly IdPair[]): ForwardInputs {
  const source = rectangle(pairs.map(({ sourceIds }) => sourceIds));
  const target = rectangle(pairs.map(({ targetIds }) => targetIds.slice(0, -1)));
  return {
    inputIds: source.rows,
    attentionMask: source.mask,
    decoderInputIds: target.rows,
    decoderAttentionMask: target.mask,
  };
}

/** Rows made equally long, with a mask that says where each is itself. A few lengths serve all, and so do a few programs. */
function rectangle(rows: readonly (readonly number[])[]): { rows: number[][]; mask: number[][] } {
  const length = 8 * Math.ceil(Math.max(...rows.map((row) => row.length)) / 8);
  const column = Array.from({ length }, (_, i) => i);
  return {
    rows: rows.map((row) => column.map((i) => row[i] ?? 0)),
    mask: rows.map((row) => column.map((i) => Number(i < row.length))),
  };
}
