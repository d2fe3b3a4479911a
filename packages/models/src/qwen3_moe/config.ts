// The keys of a Qwen3-MoE config.json that change what the model computes (Qwen3MoeConfig in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { readExperts } from '../decoder/config.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';
import type { Routing } from '../family.ts';

export interface Qwen3MoeConfig extends CommonConfig {
  readonly attentionBias: boolean;
  readonly window: number | undefined;
  readonly rotary: RotaryEmbedding;
  readonly experts: number;
  /** How many experts work on a token. */
  readonly chosen: number;
  readonly routing: Routing;
  readonly expertHidden: number;
  readonly renormalize: boolean;
  /** Has each layer experts, or one feed-forward layer for all tokens? */
  readonly sparse: readonly boolean[];
}

export function qwen3MoeConfig(config: ConfigReader): Qwen3MoeConfig {
  const common = commonConfig(config, 'qwen3_moe', { context: 32768, keyValueHeads: 4 });
  const step = config.size('decoder_sparse_step', 1);
  const single = new Set(config.has('mlp_only_layers') ? config.numbers('mlp_only_layers') : []);
  return {
    ...common,
    attentionBias: config.flag('attention_bias', false),
    window: config.flag('use_sliding_window', false) ? config.sizeOrNone('sliding_window', 4096) : undefined,
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context }),
    ...readExperts(config, { experts: 128, chosen: 8 }),
    expertHidden: config.size('moe_intermediate_size', 768),
    renormalize: config.flag('norm_topk_prob', false),
    sparse: Array.from({ length: common.layers }, (_, i) => !single.has(i) && (i + 1) % step === 0),
  };
}
