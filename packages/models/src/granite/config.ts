// The keys of a Granite config.json that change what the model computes (GraniteConfig in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface GraniteConfig extends CommonConfig {
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  readonly rotary: RotaryEmbedding;
  /** Factors on embedded tokens, scores and sublayers; what logits are divided by. */
  readonly embeddingMultiplier: number;
  readonly attentionMultiplier: number;
  readonly residualMultiplier: number;
  readonly logitsScaling: number;
}

export function graniteConfig(config: ConfigReader): GraniteConfig {
  const common = commonConfig(config, 'granite', { context: 2048 });
  return {
    ...common,
    attentionBias: config.flag('attention_bias', false),
    mlpBias: config.flag('mlp_bias', false),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context }),
    embeddingMultiplier: config.number('embedding_multiplier', 1),
    attentionMultiplier: config.number('attention_multiplier', 1),
    residualMultiplier: config.number('residual_multiplier', 1),
    logitsScaling: config.number('logits_scaling', 1),
  };
}
