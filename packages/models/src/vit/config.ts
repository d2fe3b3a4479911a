// The keys of a ViT config.json that change what the model computes (ViTConfig in transformers).
import type { Activation } from '@transept/tensor';
import { headsOf } from '../bert/config.ts';
import type { ConfigReader } from '../config.ts';
import { onlyArchitectures } from '../encoder-decoder/config.ts';

type Size = readonly [height: number, width: number];

export interface VitConfig {
  readonly width: number; // C
  readonly hidden: number; // F
  readonly layers: number;
  readonly heads: number; // H
  readonly activation: Activation;
  readonly eps: number;
  readonly channels: number;
  readonly image: Size;
  readonly patch: Size;
  readonly qkvBias: boolean;
  readonly poolerWidth: number;
  readonly poolerActivation: Activation;
  /** Is there a classifier, or only the encoder? */
  readonly classifies: boolean;
}

export function vitConfig(config: ConfigReader): VitConfig {
  onlyArchitectures(config, 'ViTForImageClassification', 'ViTModel');
  const width = config.size('hidden_size', 768);
  const [image, patch] = [sizeOf(config, 'image_size', 224), sizeOf(config, 'patch_size', 16)];
  if (patch[0] > image[0] || patch[1] > image[1])
    config.fail(
      'patch_size',
      `a patch of ${patch.join(' × ')} is larger than the image of ${image.join(' × ')}`,
      'a smaller one',
    );
  return {
    width,
    hidden: config.size('intermediate_size', 3072),
    layers: config.size('num_hidden_layers', 12),
    heads: headsOf(config, 'num_attention_heads', width, 12),
    activation: config.activation('hidden_act', 'gelu'),
    eps: config.number('layer_norm_eps', 1e-12),
    channels: config.size('num_channels', 3),
    image,
    patch,
    qkvBias: config.flag('qkv_bias', true),
    poolerWidth: config.size('pooler_output_size', width),
    poolerActivation: config.activation('pooler_act', 'tanh'),
    classifies: config.has('architectures') && config.list('architectures')[0] === 'ViTForImageClassification',
  };
}

/** One number for both sides, or height and width. */
function sizeOf(config: ConfigReader, key: string, fallback: number): Size {
  if (!config.isList(key)) return [config.size(key, fallback), config.size(key, fallback)];
  const sides = config.numbers(key);
  if (sides.length === 2 && sides.every((s) => Number.isSafeInteger(s) && s > 0)) return [sides[0]!, sides[1]!];
  return config.fail(key, `it is [${sides.join(', ')}]`, 'a number, or height and width');
}
