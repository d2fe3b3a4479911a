// Multi-head attention (Vaswani et al., arXiv:1706.03762 §3.2) as layers: self-attention with a cache that is written in
// place, and cross-attention over keys and values that were computed once. Grouped key/value heads as in arXiv:2305.13245.
import { attention, attentionWeights, cast, reshape, rope, scatter, slice, transpose } from '@transept/tensor';
import type { AttentionOptions, ScalarRef, Tensor } from '@transept/tensor';
import { linear } from './linear.ts';
import type { Linear } from './linear.ts';
import type { Rotary } from './rotary.ts';

export interface Heads {
  readonly heads: number; // H
  readonly keyValueHeads: number; // G
  readonly headSize: number; // D
}

export interface SelfAttentionLayer extends Heads {
  /** Queries, keys and values as one map: [(H + 2 G)·D, C]. */
  readonly qkv: Linear;
  /** `parts`: all queries, then all keys, then all values (default); `groups`: for each key head its queries, its key, its value. */
  readonly order?: 'parts' | 'groups' | undefined;
  /** What happens to queries and keys [B, T, heads, D] before they are rotated. */
  readonly normed?: { readonly query: Norm; readonly key: Norm } | undefined;
  readonly out: Linear;
}

type Norm = (x: Tensor) => Tensor;

/** What a family changes about the scores of queries and keys. */
export interface Scoring {
  /** Factor on the scores. Default: 1 / sqrt(D). */
  readonly scale?: number | undefined;
  /** Scores become c·tanh(score / c). */
  readonly softcap?: number | undefined;
  /** f32, broadcast to [B, H, T, S], added to the scores. */
  readonly bias?: Tensor | undefined;
  /** A query sees keys nearer than this. */
  readonly window?: number | undefined;
}

/** Receives the attention weights [B, H, T, S] of a layer. */
export type OnWeights = (weights: Tensor) => void;

export interface SelfAttentionContext {
  readonly causal: boolean;
  /** i32 [B, S]: 0 where a key is padding. */
  readonly mask?: Tensor;
  /** Keys and values so far, [B, S, 2·G·D]; those of x are written from position `start` on. */
  readonly cache?: Tensor;
  /** Position of the first query among the keys. Default: 0. */
  readonly start?: number | ScalarRef;
  readonly rotary?: Rotary | undefined;
  readonly scoring?: Scoring;
  readonly onWeights?: OnWeights | undefined;
}

/** x [B, T, C] → [B, T, C]. */
export function selfAttention(x: Tensor, layer: SelfAttentionLayer, context: SelfAttentionContext): Tensor {
  const { causal, cache, start = 0, mask, scoring, onWeights } = context;
  const projected = linear(x, layer.qkv); // [B, T, (H + 2·G)·D]
  const fresh = prepare(projected, layer, context.rotary);
  const [key, value] = cache
    ? keyAndValue(remember(cache, start, fresh.keyValue), layer)
    : keyAndValue(fresh.keyValue, layer);
  return linear(
    attend(fresh.query, key, value, { causal, start, ...given(scoring), ...padding(mask) }, onWeights),
    layer.out,
  );
}

const given = ({ scale, softcap, bias, window }: Scoring = {}): AttentionOptions => ({
  ...(scale !== undefined && { scale }),
  ...(softcap !== undefined && { softcap }),
  ...(bias && { bias }),
  ...(window !== undefined && { window }),
});

interface Projected {
  readonly query: Tensor; // [B, T, H, D]
  /** [B, T, 2·G·D] in one, or keys and values apart, each [B, T, G, D]. */
  readonly keyValue: Tensor | readonly [Tensor, Tensor];
}

function prepare(projected: Tensor, layer: SelfAttentionLayer, rotary: Rotary | undefined): Projected {
  if (layer.order !== 'groups' && !layer.normed)
    return rotary ? rotated(projected, layer, rotary) : plain(projected, layer);
  const { query, key, value } = apart(projected, layer);
  const turn = (x: Tensor, norm: Norm = (y) => y): Tensor =>
    rotary ? rope(norm(x), rotary.cos, rotary.sin, { interleaved: rotary.interleaved }) : norm(x);
  return { query: turn(query, layer.normed?.query), keyValue: [turn(key, layer.normed?.key), value] };
}

/** Queries [B, T, H, D], keys and values [B, T, G, D]. */
function apart(projected: Tensor, layer: SelfAttentionLayer): { query: Tensor; key: Tensor; value: Tensor } {
  const { heads, keyValueHeads, headSize, order } = layer;
  const [rows, length] = projected.shape as readonly [number, number];
  const groups = order === 'groups' ? keyValueHeads : 1;
  const [queries, keys] = [heads / groups, keyValueHeads / groups];
  const grouped = reshape(projected, [rows, length, groups, queries + 2 * keys, headSize]);
  const part = (from: number, count: number): Tensor =>
    reshape(slice(grouped, 3, from, from + count), [rows, length, groups * count, headSize]);
  return { query: part(0, queries), key: part(queries, keys), value: part(queries + keys, keys) };
}

function plain(projected: Tensor, { heads, headSize }: Heads): Projected {
  const width = heads * headSize;
  return { query: split(slice(projected, -1, 0, width), heads), keyValue: slice(projected, -1, width) };
}

/** Queries and keys lie next to each other, so they are turned as the heads of one tensor. */
function rotated(
  projected: Tensor,
  { heads, keyValueHeads, headSize }: Heads,
  { cos, sin, interleaved }: Rotary,
): Projected {
  const turning = (heads + keyValueHeads) * headSize;
  const turned = rope(split(slice(projected, -1, 0, turning), heads + keyValueHeads), cos, sin, { interleaved });
  return {
    query: slice(turned, 2, 0, heads),
    keyValue: [slice(turned, 2, heads, heads + keyValueHeads), split(slice(projected, -1, turning), keyValueHeads)],
  };
}

/** Write new keys and values into a cache [B, S, 2·G·D] from position `start` on, rounded to its type. */
function remember(cache: Tensor, start: number | ScalarRef, keyValue: Projected['keyValue']): Tensor {
  const byPosition = (x: Tensor): Tensor => transpose(x, [1, 0, ...[...x.shape.keys()].slice(2)]);
  const rows = (x: Tensor): Tensor => cast(byPosition(x), cache.dtype);
  if ('graph' in keyValue) return scatter(byPosition(cache), start, rows(keyValue));
  const [key, value] = keyValue;
  const [, , heads, size] = key.shape as readonly [number, number, number, number];
  const half = (x: Tensor, from: number): Tensor => split(slice(x, -1, from, from + heads * size), heads);
  // Values first: they come from the projection alone, which can then write them itself.
  const withValues = scatter(byPosition(half(cache, heads * size)), start, rows(value));
  return scatter(byPosition(half(withValues, 0)), start, rows(key));
}

export interface CrossAttentionLayer extends Heads {
  readonly query: Linear;
  readonly out: Linear;
}

export interface CrossAttentionContext {
  /** i32 [B, S]: 0 where a key is padding. */
  readonly mask?: Tensor;
  readonly scoring?: Scoring;
  readonly onWeights?: OnWeights | undefined;
}

/** x [B·n, T, C] over the keys and values [B, S, 2·G·D] of B sources, n rows (beams) a source → [B·n, T, C]. */
export function crossAttention(
  x: Tensor,
  keyValue: Tensor,
  layer: CrossAttentionLayer,
  context: CrossAttentionContext,
): Tensor {
  const [rows, queries] = x.shape as readonly [number, number];
  const sources = keyValue.shape[0]!;
  const query = linear(x, layer.query);
  // Without causality queries do not interact: the rows of one source are just more queries of it.
  const perSource = reshape(query, [sources, (rows / sources) * queries, layer.heads, layer.headSize]);
  const [key, value] = keyAndValue(keyValue, layer);
  const attended = attend(
    perSource,
    key,
    value,
    { ...given(context.scoring), ...padding(context.mask) },
    context.onWeights,
  );
  return linear(reshape(attended, [rows, queries, layer.heads * layer.headSize]), layer.out);
}

/** Keys and values of a source in one map, for `crossAttention`: encoded [B, S, C] → [B, S, 2·G·D]. */
export const crossKeyValue = (encoded: Tensor, keyValue: Linear): Tensor => linear(encoded, keyValue);

function attend(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions, onWeights?: OnWeights): Tensor {
  onWeights?.(attentionWeights(query, key, options));
  const mixed = attention(query, key, value, options); // [B, T, H, D]
  return reshape(mixed, [...mixed.shape.slice(0, 2), -1]);
}

/** [B, T, heads·D] → [B, T, heads, D]. */
const split = (x: Tensor, heads: number): Tensor => reshape(x, [...x.shape.slice(0, -1), heads, -1]);

/** [B, S, 2·G·D] → twice [B, S, G, D]. */
function keyAndValue(keyValue: Projected['keyValue'], { keyValueHeads, headSize }: Heads): [Tensor, Tensor] {
  if (!('graph' in keyValue)) return [...keyValue];
  const width = keyValueHeads * headSize;
  return [split(slice(keyValue, -1, 0, width), keyValueHeads), split(slice(keyValue, -1, width), keyValueHeads)];
}

const padding = (mask: Tensor | undefined): AttentionOptions =>
  mask ? { mask: reshape(mask, [mask.shape[0]!, 1, 1, mask.shape[1]!]) } : {};
