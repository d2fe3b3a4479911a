// What the configurations of decoder-only families write alike: heads, sliding windows, and what none of them can be.
import type { Heads } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import type { Routing } from '../family.ts';

interface HeadKeys {
  readonly width: number;
  readonly heads?: string;
  /** Key of the number of key and value heads; none where every head has its own. */
  readonly keyValueHeads?: string;
  /** Key of the size of a head; none where the width is divided among the heads. */
  readonly headSize?: string;
  readonly defaultHeads?: number | undefined;
  readonly defaultKeyValueHeads?: number;
  readonly defaultHeadSize?: number;
}

/** The heads of attention layers. */
export function readHeads(config: ConfigReader, keys: HeadKeys): Heads {
  const { width, heads: headsKey = 'num_attention_heads' } = keys;
  const heads = config.size(headsKey, keys.defaultHeads);
  const groupsKey = keys.keyValueHeads;
  const groups = groupsKey === undefined ? heads : (config.sizeOrNone(groupsKey, keys.defaultKeyValueHeads) ?? heads);
  if (heads % groups !== 0) config.fail(groupsKey!, `${groups} does not divide ${headsKey} ${heads}`, 'a divisor');
  const sizeKey = keys.headSize;
  const headSize =
    sizeKey === undefined ? undefined : config.has(sizeKey) ? config.size(sizeKey) : keys.defaultHeadSize;
  if (headSize === undefined && width % heads !== 0)
    config.fail(headsKey, `${heads} does not divide the width ${width}`, 'a divisor');
  return { heads, keyValueHeads: groups, headSize: headSize ?? width / heads };
}

/** Llama's names of these: grouped heads, and a size of their own. */
export const groupedHeads = (
  config: ConfigReader,
  width: number,
  { heads, keyValueHeads, headSize }: { heads?: number; keyValueHeads?: number; headSize?: number } = {},
): Heads =>
  readHeads(config, {
    width,
    defaultHeads: heads,
    keyValueHeads: 'num_key_value_heads',
    headSize: 'head_dim',
    ...(keyValueHeads !== undefined && { defaultKeyValueHeads: keyValueHeads }),
    ...(headSize !== undefined && { defaultHeadSize: headSize }),
  });

export type LayerType = 'full_attention' | 'sliding_attention';

/** `layer_types`, one a layer; `otherwise` says them where the configuration does not. */
export function layerTypes(config: ConfigReader, layers: number, otherwise: (layer: number) => LayerType): LayerType[] {
  if (!config.has('layer_types')) return Array.from({ length: layers }, (_, i) => otherwise(i));
  const types = config.list('layer_types');
  const isType = (type: unknown): type is LayerType => type === 'full_attention' || type === 'sliding_attention';
  if (types.length < layers || !types.every(isType))
    config.fail(
      'layer_types',
      `it is ${JSON.stringify(types).slice(0, 80)}`,
      `full_attention or sliding_attention for each of ${layers} layers`,
    );
  return types as LayerType[];
}

/** How far each layer sees; undefined: all there is. */
export function slidingWindows(
  config: ConfigReader,
  types: readonly LayerType[],
  window: number | undefined,
): (number | undefined)[] {
  if (window === undefined && types.includes('sliding_attention'))
    config.fail('sliding_window', 'it is missing, and layer_types has sliding_attention', 'a whole number from 1 on');
  return types.map((type) => (type === 'sliding_attention' ? window : undefined));
}

/** Refuse what would make another model of a decoder-only family: another head, quantised weights, attention to an encoder. */
export function refuseOthers(config: ConfigReader): void {
  for (const key of ['quantization_config', 'pruned_heads'])
    if (config.has(key) && !(config.inner(key)?.keys.length === 0)) config.fail(key, 'it is not supported', 'none');
  config.only('add_cross_attention', false);
  config.only('is_encoder_decoder', false);
  config.only('use_bidirectional_attention', false);
  if (!config.has('architectures')) return;
  const names = config.list('architectures').map(String);
  if (
    names.length > 0 &&
    !names.some((name) =>
      /(ForCausalLM|LMHeadModel|Model|For(Sequence|Token)Classification|ForQuestionAnswering)$/.test(name),
    )
  )
    config.fail(
      'architectures',
      `${names.join(', ')} is not supported`,
      '…ForCausalLM, …ForSequenceClassification, …ForTokenClassification or …ForQuestionAnswering',
    );
}

/** How many experts there are, and how many of them work on a token. */
export function readExperts(
  config: ConfigReader,
  defaults: { readonly experts: number; readonly chosen: number },
): { readonly experts: number; readonly chosen: number; readonly routing: Routing } {
  const experts = config.size(config.first('num_local_experts', 'num_experts'), defaults.experts);
  const chosen = config.size('num_experts_per_tok', defaults.chosen);
  if (chosen > experts)
    config.fail('num_experts_per_tok', `it is ${chosen} of ${experts} experts`, `at most ${experts}`);
  return { experts, chosen, routing: { chosen, lossFactor: config.number('router_aux_loss_coef', 0.001) } };
}
