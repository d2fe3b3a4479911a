// Gemma, Gemma 2 and Gemma 3 (text). Files hold the weights of norms with the 1 added that the models add when they run.
import type { JsonObject } from '../../json.ts';
import type { Architecture, Source } from './architecture.ts';
import { decoderConfig, decoderNames, decoderSizes, key, ropeScaling, wholeRotary } from './architecture.ts';

const postNorms: Readonly<Record<string, string>> = {
  ...decoderNames,
  'blk.{}.post_attention_norm': 'model.layers.{}.post_attention_layernorm',
  'blk.{}.ffn_norm': 'model.layers.{}.pre_feedforward_layernorm',
  'blk.{}.post_ffw_norm': 'model.layers.{}.post_feedforward_layernorm',
};

function gemmas(names: Readonly<Record<string, string>>, config: (source: Source) => JsonObject): Architecture {
  return {
    names: () => names,
    arranged: (name) => (/norm\.weight$/.test(name) ? { kind: 'added', value: 1 } : undefined),
    config(source) {
      wholeRotary(source);
      return { ...decoderConfig(source), hidden_activation: 'gelu_pytorch_tanh', ...config(source) };
    },
  };
}

export const gemma = gemmas(decoderNames, (source) => ({
  architectures: ['GemmaForCausalLM'],
  model_type: 'gemma',
  hidden_act: 'gelu_pytorch_tanh',
  rope_scaling: ropeScaling(source),
}));

/**
 * What queries are scaled by. Files do not say it: the models of 27 billion parameters, known by their number of layers, use the
 * width over the heads, all others the size of a head.
 */
function queryScalar(source: Source, layersOf27B: number): number {
  const { width, heads, headSize, layers } = decoderSizes(source);
  return layers === layersOf27B ? width / heads : headSize;
}

const capping = (source: Source, name: string): number | null => {
  const at = key(source, name);
  return source.metadata.has(at) ? source.metadata.number(at) : null;
};

export const gemma2 = gemmas(postNorms, (source) => ({
  architectures: ['Gemma2ForCausalLM'],
  model_type: 'gemma2',
  rope_scaling: ropeScaling(source),
  query_pre_attn_scalar: queryScalar(source, 46),
  attn_logit_softcapping: capping(source, 'attn_logit_softcapping'),
  final_logit_softcapping: capping(source, 'final_logit_softcapping'),
  sliding_window: source.metadata.count(key(source, 'attention.sliding_window')),
}));

export const gemma3 = gemmas(postNorms, (source) => {
  const { metadata } = source;
  const { layers } = decoderSizes(source);
  const every = metadata.count(key(source, 'attention.sliding_window_pattern'), 6);
  return {
    architectures: ['Gemma3ForCausalLM'],
    model_type: 'gemma3_text',
    rope_theta: metadata.number(key(source, 'rope.freq_base'), 1e6),
    rope_local_base_freq: metadata.number(key(source, 'rope.freq_base_swa'), 10000),
    rope_scaling: ropeScaling(source),
    query_pre_attn_scalar: queryScalar(source, 62),
    attn_logit_softcapping: capping(source, 'attn_logit_softcapping'),
    final_logit_softcapping: capping(source, 'final_logit_softcapping'),
    sliding_window: metadata.count(key(source, 'attention.sliding_window')),
    layer_types: Array.from({ length: layers }, (_, i) =>
      (i + 1) % every === 0 ? 'full_attention' : 'sliding_attention',
    ),
  };
});
