// The keys of a Phi config.json that change what the model computes (PhiConfig in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface PhiConfig extends CommonConfig {
  /** Are queries and keys normed? */
  readonly headNorms: boolean;
  readonly rotary: RotaryEmbedding;
}

export function phiConfig(config: ConfigReader): PhiConfig {
  const common = commonConfig(config, 'phi', {
    context: 2048,
    epsKey: 'layer_norm_eps',
    eps: 1e-5,
    activation: 'gelu_new',
  });
  return {
    ...common,
    headNorms: config.flag('qk_layernorm', false),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context, partial: 0.5 }),
  };
}
