// The keys of a StableLM config.json that change what the model computes (StableLmConfig in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface StableLmConfig extends CommonConfig {
  readonly biases: boolean;
  /** Does each head of queries and keys have a norm of its own? */
  readonly headNorms: boolean;
  /** Do attention and feed-forward layer read the same normed input? */
  readonly parallel: boolean;
  readonly rotary: RotaryEmbedding;
}

export function stablelmConfig(config: ConfigReader): StableLmConfig {
  const common = commonConfig(config, 'stablelm', {
    context: 4096,
    epsKey: 'layer_norm_eps',
    eps: 1e-5,
    keyValueHeads: 32,
  });
  return {
    ...common,
    biases: config.flag('use_qkv_bias', false),
    headNorms: config.flag('qk_layernorm', false),
    parallel: config.flag('use_parallel_residual', false),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context, partial: 0.25 }),
  };
}
