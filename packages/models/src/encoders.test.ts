// Configurations of encoders, encoder-decoders and images that cannot be honoured are refused by name; checkpoints may spell names
// in several ways.
import { fileURLToPath } from 'node:url';
import { folder, openCheckpoint, writeSafetensors } from '@transept/checkpoint';
import type { Files, StoredTensor } from '@transept/checkpoint';
import { reference } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import { loadModel } from './load.ts';
import { createModel } from './registry.ts';

const fixtures = fileURLToPath(new URL('../../../fixtures/hf', import.meta.url));

describe('what would change the result and is not built', () => {
  it.each([
    [
      { model_type: 't5', quantization_config: { quant_method: 'awq' } },
      '"quantization_config": {"quant_method":"awq"} is not',
    ],
    [{ model_type: 'bert', is_decoder: true }, '"is_decoder": true is not supported'],
    [
      { model_type: 'bert', position_embedding_type: 'relative_key' },
      '"position_embedding_type": "relative_key" is not',
    ],
    [
      { model_type: 'bert', architectures: ['BertForMultipleChoice'] },
      '"architectures": "BertForMultipleChoice" is not',
    ],
    [{ model_type: 'bert', architectures: ['RobertaForMaskedLM'] }, '"RobertaForMaskedLM" is not supported'],
    [{ model_type: 'bert', hidden_size: 10, num_attention_heads: 4 }, '4 does not divide the width 10'],
    [{ model_type: 'bert', hidden_act: 'mish' }, '"hidden_act": "mish" is no known activation'],
    [{ model_type: 'roberta', add_cross_attention: true }, '"add_cross_attention": true is not supported'],
    [{ model_type: 'distilbert', pruned_heads: { 0: [1] } }, '"pruned_heads": {"0":[1]} is not supported'],
    [{ model_type: 'mpnet', relative_attention_num_buckets: 16 }, '16 are too few'],
    [
      { model_type: 'deberta-v2', relative_attention: true, pos_att_type: ['p2p'] },
      '"pos_att_type": "p2p" is not supported',
    ],
    [{ model_type: 'deberta-v2', conv_kernel_size: 4 }, '"conv_kernel_size": 4 is even'],
    [{ model_type: 'modernbert', classifier_pooling: 'max' }, '"classifier_pooling": "max" is not supported'],
    [
      { model_type: 'modernbert', num_hidden_layers: 1, layer_types: ['chunked_attention'] },
      '"chunked_attention" is not',
    ],
    [
      { model_type: 'modernbert', num_hidden_layers: 2, layer_types: ['full_attention'] },
      'there are 1, num_hidden_layers is 2',
    ],
    [{ model_type: 'bart', architectures: ['BartForCausalLM'] }, '"BartForCausalLM" is not supported'],
    [{ model_type: 't5', feed_forward_proj: 'twice-gelu' }, '"feed_forward_proj": "twice-gelu" is not supported'],
    [{ model_type: 't5', feed_forward_proj: 'gated-mish' }, '"mish" is no known activation'],
    [{ model_type: 'marian', decoder_vocab_size: 5 }, '5 differs from vocab_size'],
    [{ model_type: 'whisper', architectures: ['WhisperForAudioClassification'] }, 'is not supported'],
    [{ model_type: 'vit', image_size: 8, patch_size: [4, 9] }, 'is larger than the image'],
    [{ model_type: 'vit', image_size: [8, 8, 8] }, '"image_size": it is [8, 8, 8]'],
    [{ model_type: 'vit', architectures: ['ViTForMaskedImageModeling'] }, 'is not supported'],
  ])('%j', (config, message) => {
    expect(() => createModel(config)).toThrow(message);
  });
});

describe('labels', () => {
  const labels = (more: Readonly<Record<string, unknown>>): unknown => {
    const model = createModel({ model_type: 'bert', architectures: ['BertForSequenceClassification'], ...more });
    return 'labels' in model ? model.labels : undefined;
  };

  it('from id2label by number, else as many as num_labels', () => {
    expect(labels({ id2label: { 1: 'bad', 0: 'good' } })).toEqual(['good', 'bad']);
    expect(labels({ num_labels: 3 })).toEqual(['LABEL_0', 'LABEL_1', 'LABEL_2']);
    expect(labels({})).toEqual(['LABEL_0', 'LABEL_1']);
  });

  it('a list that is none', () => {
    expect(() => labels({ id2label: {} })).toThrow('"id2label": it is {}');
    expect(() => labels({ id2label: { 0: 'a', 5: 'b' } })).toThrow('expected names of classes by the numbers 0, 1');
  });
});

/** A fixture with its tensors under other names, or left out. */
async function renamed(name: string, rename: (tensor: string) => string | undefined): Promise<Files> {
  const files = folder(`${fixtures}/${name}`);
  const checkpoint = await openCheckpoint(files);
  const tensors: Record<string, StoredTensor> = {};
  for (const { name: tensor, shape } of checkpoint.tensors.values()) {
    const other = rename(tensor);
    if (other !== undefined)
      tensors[other] = { dtype: 'F32', shape, data: await checkpoint.read(tensor, { as: 'f32' }) };
  }
  const bytes = writeSafetensors(tensors) as Uint8Array<ArrayBuffer>;
  const isWeights = (path: string): boolean => path === 'model.safetensors';
  return {
    name: files.name,
    has: async (path, options) => isWeights(path) || files.has(path, options),
    size: async (path, options) => (isWeights(path) ? bytes.length : files.size(path, options)),
    read: async (path, options = {}) =>
      isWeights(path) ? bytes.slice(options.start, options.end) : files.read(path, options),
  };
}

describe('names in checkpoints', () => {
  it.each([
    ['bert-base', 'with the prefix of a model with a head', (n: string) => `bert.${n}`],
    ['bert-cls', 'without a prefix', (n: string) => n.replace(/^bert\./, '')],
    [
      'bert',
      'norms as in TensorFlow',
      (n: string) => n.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'),
    ],
    [
      'bert',
      'the bias of the output at its other place',
      (n: string) => n.replace('predictions.bias', 'predictions.decoder.bias'),
    ],
    ['bart', 'the shared matrix at the output', (n: string) => n.replace('model.shared', 'lm_head')],
    [
      'bart',
      'the model without its head',
      (n: string) => (n === 'final_logits_bias' ? undefined : n.replace(/^model\./, '')),
    ],
    ['t5', 'the shared matrix at the encoder', (n: string) => n.replace(/^shared/, 'encoder.embed_tokens')],
    ['whisper', 'without a prefix', (n: string) => n.replace(/^model\./, '')],
    ['vit', 'without a prefix', (n: string) => n.replace(/^vit\./, '')],
  ])('%s: %s', async (name, _, rename) => {
    using loaded = await loadModel(await renamed(name, rename), reference());
    expect(loaded.bytes).toBeGreaterThan(0);
  });

  it('what is missing altogether is named', async () => {
    const files = await renamed('bert', (n) => (n.includes('layer.1.output.dense.bias') ? undefined : n));
    await expect(loadModel(files, reference())).rejects.toThrow('bert.encoder.layer.1.output.dense.bias');
  });
});
