// From config.json, generation_config.json and a call to one complete set of options. Everything that would change the result
// is either honoured or refused by name; what changes only how transformers works is passed over, by an explicit list.
import { OptionError, type GenerationOptions, type ResolvedOptions } from './options.ts';

type Json = Readonly<Record<string, unknown>>;
type Name = keyof ResolvedOptions;

const CALL = 'the call';

export interface OptionSources {
  /** config.json. Consulted only where there is no generation_config.json, as transformers does. */
  readonly config?: Json;
  /** generation_config.json. */
  readonly generationConfig?: Json;
  /** The options of the call, camelCase or as in generation_config.json. */
  readonly call?: GenerationOptions | Json;
  /** Names in generation_config.json or the call that the model family deals with itself, as spelled there. */
  readonly family?: ReadonlySet<string>;
}

/** The options in force. Throws an OptionError that names the option, its value and what would be right. */
export function resolveOptions({ config = {}, generationConfig, call = {}, family }: OptionSources): ResolvedOptions {
  const values: { -readonly [N in Name]: unknown } = { ...neutral };
  const origin = new Map<Name, string>();
  const apply = (name: Name, value: unknown, from: string): void => {
    values[name] = value ?? unset[name] ?? neutral[name];
    origin.set(name, from);
  };
  for (const [key, value] of Object.entries(generationConfig ?? fromModelConfig(config))) {
    const name = camel(key) as Name;
    if (family?.has(key) || value === null || value === undefined) continue;
    if (Object.hasOwn(checks, name)) apply(name, value, generationConfig ? 'generation_config.json' : 'config.json');
    else refuseUnsupported(key, value);
  }
  const seen = new Set<string>();
  for (const [key, value] of Object.entries(call)) {
    const name = camel(key) as Name;
    if (value === undefined || family?.has(key)) continue;
    if (seen.has(name))
      throw new OptionError(`generate: option ${snake(name)} is given twice, also as ${name}; expected one of them`);
    seen.add(name);
    if (Object.hasOwn(checks, name)) apply(name, value, CALL);
    else if (!refuseUnsupported(key, value))
      throw new OptionError(`generate: there is no option "${key}"; the options are ${Object.keys(checks).join(', ')}`);
  }
  for (const [name, from] of origin) {
    // Files often carry odd values of sampling options, which greedy and beam search never look at.
    if (samplingOnly.has(name) && values.doSample !== true && from !== CALL) values[name] = neutral[name];
    if (values[name] === undefined) continue;
    const wrong = (right: string): never => {
      throw new OptionError(`generate: option ${name} is ${show(values[name])} (from ${from}); expected ${right}`);
    };
    values[name] = checks[name](values[name], wrong);
  }
  // Checked field by field above.
  const options = values as ResolvedOptions;
  const { numReturnSequences, numBeams, doSample } = options;
  if (numReturnSequences > 1 && numBeams === 1 && !doSample)
    throw new OptionError(
      `generate: option numReturnSequences is ${numReturnSequences}, greedy search gives one; set numBeams or doSample`,
    );
  if (numReturnSequences > numBeams && numBeams > 1)
    throw new OptionError(
      `generate: option numReturnSequences is ${numReturnSequences}; expected at most numBeams, ${numBeams}`,
    );
  for (const name of ['forcedBosTokenId', 'forcedEosTokenId'] as const) {
    const tokens = [options[name] ?? []].flat();
    if (tokens.length > 0 && tokens.every((id) => options.suppressTokens.includes(id)))
      throw new OptionError(
        `generate: option ${name} is ${show(options[name])}, and suppressTokens holds it too; remove it from one of them`,
      );
  }
  return options.decoderStartTokenId === undefined
    ? { ...options, decoderStartTokenId: options.bosTokenId ?? tokenOf(config.decoder_start_token_id) }
    : options;
}

const neutral: ResolvedOptions = {
  maxNewTokens: undefined,
  maxLength: undefined,
  minLength: 0,
  minNewTokens: 0,
  numBeams: 1,
  doSample: false,
  numReturnSequences: 1,
  earlyStopping: false,
  lengthPenalty: 1,
  temperature: 1,
  topK: 50,
  topP: 1,
  minP: undefined,
  topH: undefined,
  typicalP: 1,
  epsilonCutoff: 0,
  etaCutoff: 0,
  seed: undefined,
  repetitionPenalty: 1,
  encoderRepetitionPenalty: 1,
  noRepeatNgramSize: 0,
  encoderNoRepeatNgramSize: 0,
  badWordsIds: [],
  sequenceBias: [],
  suppressTokens: [],
  beginSuppressTokens: [],
  forcedBosTokenId: undefined,
  forcedEosTokenId: [],
  exponentialDecayLengthPenalty: undefined,
  renormalizeLogits: false,
  removeInvalidValues: false,
  eosTokenId: [],
  padTokenId: undefined,
  bosTokenId: undefined,
  decoderStartTokenId: undefined,
};

/** What an explicit null means where it is not the default: no limit to the best k. */
const unset: Partial<ResolvedOptions> = { topK: 0 };

type Check<T> = (value: unknown, wrong: (right: string) => never) => T;

const isToken = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const tokenOf = (value: unknown): number | undefined => (isToken(value) ? value : undefined);
const isTokens = (value: unknown): value is number[] => Array.isArray(value) && value.every(isToken);

const whole =
  (min: number): Check<number> =>
  (value, wrong) =>
    Number.isSafeInteger(value) && (value as number) >= min
      ? (value as number)
      : wrong(`a whole number of at least ${min}`);
const real =
  (right: string, ok: (value: number) => boolean): Check<number> =>
  (value, wrong) =>
    typeof value === 'number' && Number.isFinite(value) && ok(value) ? value : wrong(right);
const flag: Check<boolean> = (value, wrong) => (typeof value === 'boolean' ? value : wrong('true or false'));
const share = real('a number from 0 to 1', (x) => x >= 0 && x <= 1);
const positive = real('a number above 0', (x) => x > 0);
const tokens: Check<readonly number[]> = (value, wrong) => (isTokens(value) ? value : wrong('a list of token ids'));
const token: Check<number> = (value, wrong) => (isToken(value) ? value : wrong('a token id'));
const oneOrMore: Check<readonly number[]> = (value, wrong) =>
  isTokens(value) ? value : isToken(value) ? [value] : wrong('a token id or a list of them');
/** Old configs write -1 for "there is none". */
const special: Check<number | undefined> = (value, wrong) => (value === -1 ? undefined : token(value, wrong));
const ends: Check<readonly number[]> = (value, wrong) => (value === -1 ? [] : oneOrMore(value, wrong));

const checks: { readonly [N in Name]: Check<ResolvedOptions[N]> } = {
  maxNewTokens: whole(1),
  maxLength: whole(1),
  minLength: whole(0),
  minNewTokens: whole(0),
  numBeams: whole(1),
  doSample: flag,
  numReturnSequences: whole(1),
  earlyStopping: (value, wrong) =>
    typeof value === 'boolean' || value === 'never' ? value : wrong('true, false or "never"'),
  lengthPenalty: real('a number', () => true),
  temperature: real('a number above 0; for the best token set doSample to false', (x) => x > 0),
  topK: whole(0),
  topP: share,
  minP: share,
  topH: real('a number above 0, at most 1', (x) => x > 0 && x <= 1),
  typicalP: real('a number above 0, at most 1', (x) => x > 0 && x <= 1),
  epsilonCutoff: share,
  etaCutoff: share,
  seed: whole(0),
  repetitionPenalty: positive,
  encoderRepetitionPenalty: positive,
  noRepeatNgramSize: whole(0),
  encoderNoRepeatNgramSize: whole(0),
  badWordsIds: (value, wrong) =>
    Array.isArray(value) && value.every((word) => isTokens(word) && word.length > 0)
      ? (value as number[][])
      : wrong('a list of lists of token ids, none of them empty'),
  sequenceBias: (value, wrong) =>
    Array.isArray(value) && value.every(isBias)
      ? (value as [number[], number][])
      : wrong('a list of pairs: a list of token ids that is not empty, and a number'),
  suppressTokens: tokens,
  beginSuppressTokens: tokens,
  forcedBosTokenId: token,
  forcedEosTokenId: oneOrMore,
  exponentialDecayLengthPenalty: (value, wrong) =>
    Array.isArray(value) && value.length === 2 && Number.isSafeInteger(value[0]) && Number.isFinite(value[1])
      ? (value as [number, number])
      : wrong('a pair: a whole number and a factor'),
  renormalizeLogits: flag,
  removeInvalidValues: flag,
  eosTokenId: ends,
  padTokenId: special,
  bosTokenId: special,
  decoderStartTokenId: special,
};

const isBias = (pair: unknown): boolean =>
  Array.isArray(pair) && pair.length === 2 && isTokens(pair[0]) && pair[0].length > 0 && Number.isFinite(pair[1]);

const samplingOnly: ReadonlySet<string> = new Set<Name>([
  'temperature',
  'topK',
  'topP',
  'minP',
  'topH',
  'typicalP',
  'epsilonCutoff',
  'etaCutoff',
]);

/** Options of transformers that are not supported, each with the values at which it does nothing. */
const unsupported: Readonly<Record<string, readonly unknown[]>> = {
  max_time: [],
  stop_strings: [],
  guidance_scale: [1],
  watermarking_config: [],
  token_healing: [false],
  penalty_alpha: [0],
  dola_layers: [],
  diversity_penalty: [0],
  num_beam_groups: [1],
  constraints: [],
  force_words_ids: [],
  prefix_allowed_tokens_fn: [],
  prompt_lookup_num_tokens: [],
  assistant_early_exit: [],
  use_mtp: [false],
  low_memory: [false],
  cache_implementation: ['dynamic', 'static', 'offloaded', 'offloaded_static', 'hybrid', 'sliding_window', 'paged'],
};

/** Options of transformers that do not change which tokens come out. */
const harmless: ReadonlySet<string> = new Set([
  'use_cache',
  'cache_config',
  'max_cache_len',
  'prefill_chunk_size',
  'compile_config',
  'disable_compile',
  'continuous_batching_config',
  'output_attentions',
  'output_hidden_states',
  'output_scores',
  'output_logits',
  'return_dict_in_generate',
  'is_assistant',
  'num_assistant_tokens',
  'num_assistant_tokens_schedule',
  'assistant_confidence_threshold',
  'assistant_lookbehind',
  'assistant_ensemble_weight',
  'target_lookbehind',
  'max_matching_ngram_size',
  'speculation_type',
  'transformers_version',
  '_from_model_config',
  '_commit_hash',
]);

/** Throws for an option that would change the result. Is the name one of transformers at all? */
function refuseUnsupported(key: string, value: unknown): boolean {
  const name = snake(key);
  const neutralValues = Object.hasOwn(unsupported, name) ? unsupported[name]! : undefined;
  if (!neutralValues) return harmless.has(name);
  if (value === null || value === undefined || neutralValues.includes(value)) return true;
  const right = neutralValues.length
    ? `leave it out or set it to ${neutralValues.map(show).join(' or ')}`
    : 'leave it out';
  throw new OptionError(`generate: option "${key}" is not supported: ${show(value)}; ${right}`);
}

/** The options of generation that old checkpoints keep in config.json, at the top or in that of the decoder. */
function fromModelConfig(config: Json): Json {
  const inner = [config.decoder, config.generator, config.text_config].find(
    (part): part is Json => typeof part === 'object' && part !== null,
  );
  const known = ([key, value]: [string, unknown]): boolean =>
    value !== null && (Object.hasOwn(checks, camel(key)) || Object.hasOwn(unsupported, key));
  const pick = (part: Json): Json => Object.fromEntries(Object.entries(part).filter(known));
  const options = { ...pick(inner ?? {}), ...pick(config) };
  // BART of 2020 spelled its forced first token this way.
  return config.force_bos_token_to_be_generated === true
    ? { forced_bos_token_id: config.bos_token_id, ...options }
    : options;
}

const camel = (name: string): string =>
  name.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
