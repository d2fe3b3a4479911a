// The keys of a Gemma 2 config.json that change what the model computes (Gemma2Config in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { layerTypes, slidingWindows } from '../decoder/config.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface Gemma2Config extends CommonConfig {
  readonly attentionBias: boolean;
  readonly rotary: RotaryEmbedding;
  /** How far each layer sees. */
  readonly windows: readonly (number | undefined)[];
  /** Factor on the scores. */
  readonly scale: number;
  /** Bounds of the scores and of the logits. */
  readonly scoreCap: number | undefined;
  readonly logitCap: number | undefined;
}

export function gemma2Config(config: ConfigReader): Gemma2Config {
  const common = commonConfig(config, 'gemma2', {
    context: 8192,
    activationKey: 'hidden_activation',
    activation: 'gelu_pytorch_tanh',
    tied: true,
    keyValueHeads: 4,
    headSize: 256,
  });
  const types = layerTypes(config, common.layers, (i) => (i % 2 === 0 ? 'sliding_attention' : 'full_attention'));
  return {
    ...common,
    attentionBias: config.flag('attention_bias', false),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context }),
    windows: slidingWindows(config, types, config.sizeOrNone('sliding_window', 4096)),
    scale: config.number('query_pre_attn_scalar', 256) ** -0.5,
    scoreCap: config.numberOrNone('attn_logit_softcapping', 50),
    logitCap: config.numberOrNone('final_logit_softcapping', 30),
  };
}
