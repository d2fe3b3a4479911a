// The keys of a Gemma 3 config.json that change what the text model computes (Gemma3TextConfig in transformers, whose model takes
// no notice of attn_logit_softcapping).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { layerTypes, slidingWindows } from '../decoder/config.ts';
import { rotaryParameters } from '../decoder/rotary-config.ts';

export interface Gemma3Config extends CommonConfig {
  readonly attentionBias: boolean;
  /** Angles of layers that see everything, and of those with a window. */
  readonly globalRotary: RotaryEmbedding;
  readonly localRotary: RotaryEmbedding;
  /** How far each layer sees. */
  readonly windows: readonly (number | undefined)[];
  /** Factor on the scores. */
  readonly scale: number;
  /** Bound of the logits. */
  readonly logitCap: number | undefined;
}

export function gemma3Config(config: ConfigReader): Gemma3Config {
  const common = commonConfig(config, 'gemma3_text', {
    context: 131072,
    activationKey: 'hidden_activation',
    activation: 'gelu_pytorch_tanh',
    tied: true,
    vocabSize: 262208,
    heads: 8,
    keyValueHeads: 4,
    headSize: 256,
  });
  const pattern = config.size(config.first('sliding_window_pattern', '_sliding_window_pattern'), 6);
  const types = layerTypes(config, common.layers, (i) => ((i + 1) % pattern ? 'sliding_attention' : 'full_attention'));
  const parameters = config.inner('rope_parameters');
  const keys = { headSize: common.headSize, maxPositions: common.context };
  const [full, sliding] = [parameters?.inner('full_attention'), parameters?.inner('sliding_attention')];
  return {
    ...common,
    attentionBias: config.flag('attention_bias', false),
    // Older files write what holds for all of the context at the top, and the window's base under a name of its own.
    globalRotary: rotaryParameters(config, config.inner('rope_scaling') ?? full, { ...keys, theta: 1000000 }),
    localRotary: rotaryParameters(config, sliding, { ...keys, thetaKey: 'rope_local_base_freq', theta: 10000 }),
    windows: slidingWindows(config, types, config.sizeOrNone('sliding_window', 4096)),
    scale: config.number('query_pre_attn_scalar', 256) ** -0.5,
    logitCap: config.numberOrNone('final_logit_softcapping'),
  };
}
