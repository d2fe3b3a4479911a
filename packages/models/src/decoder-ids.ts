// What the decoder of an encoder-decoder reads while it is trained: the labels, one place later.
import { ConfigReader } from './config.ts';
import type { Json } from './config.ts';

/**
 * labels [B][T] → ids [B][T] that begin with `decoder_start_token_id`, with padding in place of labels below 0. mBART has no such id:
 * the last label that is no padding, the language, comes first.
 */
export function decoderIdsFrom(labels: readonly ArrayLike<number>[], config: Json): Int32Array<ArrayBuffer>[] {
  const reader = new ConfigReader(config);
  const pad = reader.id('pad_token_id');
  const turns = reader.has('model_type') && reader.text('model_type') === 'mbart';
  const start = turns ? undefined : reader.id('decoder_start_token_id');
  return labels.map((row) => {
    const padded = Int32Array.from(row, (label) => (label < 0 ? pad : label));
    const first = start ?? padded[padded.filter((id) => id !== pad).length - 1] ?? pad;
    return Int32Array.from(padded, (_, t) => (t === 0 ? first : padded[t - 1]!));
  });
}
