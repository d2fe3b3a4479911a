// The open list of model families, by the `model_type` of config.json.
import { ConfigError, ConfigReader } from './config.ts';
import type { Json } from './config.ts';
import type { Family, Model } from './family.ts';
import { albert } from './albert/model.ts';
import { bart, blenderbotSmall, mbart } from './bart/model.ts';
import { bert } from './bert/model.ts';
import { bloom } from './bloom/model.ts';
import { headedDecoder } from './decoder/heads.ts';
import { headedEncoderDecoder } from './encoder-decoder/heads.ts';
import { debertaV2 } from './deberta-v2/model.ts';
import { distilbert } from './distilbert/model.ts';
import { electra } from './electra/model.ts';
import { falcon } from './falcon/model.ts';
import { gemma } from './gemma/model.ts';
import { gemma2 } from './gemma2/model.ts';
import { gemma3, gemma3WithImages } from './gemma3/model.ts';
import { gpt2 } from './gpt2/model.ts';
import { gptNeo } from './gpt_neo/model.ts';
import { gptNeoX } from './gpt_neox/model.ts';
import { granite } from './granite/model.ts';
import { llama } from './llama/model.ts';
import { m2m100 } from './m2m-100/model.ts';
import { marian } from './marian/model.ts';
import { mistral } from './mistral/model.ts';
import { mixtral } from './mixtral/model.ts';
import { modernbert } from './modernbert/model.ts';
import { mpnet } from './mpnet/model.ts';
import { olmo2 } from './olmo2/model.ts';
import { opennmt } from './opennmt/model.ts';
import { opt } from './opt/model.ts';
import { phi } from './phi/model.ts';
import { phi3 } from './phi3/model.ts';
import { qwen2 } from './qwen2/model.ts';
import { qwen3 } from './qwen3/model.ts';
import { qwen3Moe } from './qwen3_moe/model.ts';
import { pegasus } from './pegasus/model.ts';
import { roberta, xlmRoberta } from './roberta/model.ts';
import { smollm3 } from './smollm3/model.ts';
import { stablelm } from './stablelm/model.ts';
import { starcoder2 } from './starcoder2/model.ts';
import { mt5, t5, umt5 } from './t5/model.ts';
import { vit } from './vit/model.ts';
import { whisper } from './whisper/model.ts';

const decoders: readonly Family[] = [
  gpt2,
  gptNeo,
  gptNeoX,
  opt,
  bloom,
  falcon,
  llama,
  mistral,
  mixtral,
  qwen2,
  qwen3,
  qwen3Moe,
  gemma,
  gemma2,
  gemma3,
  gemma3WithImages,
  phi,
  phi3,
  stablelm,
  starcoder2,
  olmo2,
  granite,
  smollm3,
];
const encoders: readonly Family[] = [
  bert,
  distilbert,
  roberta,
  xlmRoberta,
  electra,
  albert,
  mpnet,
  debertaV2,
  modernbert,
];
const encoderDecoders: readonly Family[] = [
  marian,
  opennmt,
  bart,
  mbart,
  blenderbotSmall,
  pegasus,
  m2m100,
  t5,
  mt5,
  umt5,
  whisper,
];

const families = new Map([...decoders, ...encoders, vit, ...encoderDecoders].map((f) => [f.modelType, f]));

/** Add a family, or replace the one of the same `modelType`. */
export const registerModel = (family: Family): void => void families.set(family.modelType, family);

/** The `model_type`s that can be loaded. */
export const modelTypes = (): string[] => [...families.keys()].sort();

/** The model that a config.json describes. `modelType` stands in for a missing `model_type`. */
export function createModel(json: Json, modelType?: string): Model {
  const config = new ConfigReader(json);
  const type = config.text('model_type', modelType);
  const family = families.get(type);
  if (!family)
    throw new ConfigError(
      `config.json: "model_type" is "${type}", which is not registered; there is ${modelTypes().join(', ')}, and registerModel adds more`,
    );
  config.only('quantization_config', null);
  const model = family.create(config);
  if (model.kind === 'decoder') return headedDecoder(config, model) ?? model;
  if (model.kind === 'encoder-decoder') return headedEncoderDecoder(config, model) ?? model;
  return model;
}
