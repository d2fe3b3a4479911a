// The token vectors that an encoder, a decoder and the output share, and the scores that the output gives.
import { linear } from '@transept/layers';
import type { Weights } from '@transept/layers';
import { reshape } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { EncoderDecoderConfig } from './config.ts';

const shared = 'model.shared.weight';
const places = [shared, 'model.encoder.embed_tokens.weight', 'model.decoder.embed_tokens.weight', 'lm_head.weight'];

/** Token vectors [V, C] of a stack: one matrix for all, or where they are untied each its own. */
export const tokenTable = (
  w: Weights,
  stack: 'encoder' | 'decoder',
  { tiedOutput, vocabSize, width }: EncoderDecoderConfig,
): Tensor => w.get(tiedOutput ? shared : `model.${stack}.embed_tokens.weight`, [vocabSize, width]);

/** x [B, T, C] → [B, T, V], with a bias where checkpoints of the family have one. */
export function sharedLogits(w: Weights, x: Tensor, config: EncoderDecoderConfig, { bias }: { bias: boolean }): Tensor {
  const { vocabSize, width } = config;
  const weight = config.tiedOutput ? tokenTable(w, 'decoder', config) : w.get('lm_head.weight', [vocabSize, width]);
  if (!bias) return linear(x, { weight });
  const stored = w.get('final_logits_bias', [1, vocabSize], { optional: true });
  return linear(x, { weight, bias: reshape(stored, [vocabSize]) });
}

/** Other names of tensors: a shared matrix stored at any of its places, and checkpoints of the model without its head. */
export function sharedNames(name: string): readonly string[] {
  const same = places.includes(name)
    ? places.filter((place) => place !== name && !(name !== shared && place === 'lm_head.weight'))
    : [];
  return [...same, ...[name, ...same].filter((n) => n.startsWith('model.')).map((n) => n.slice('model.'.length))];
}
