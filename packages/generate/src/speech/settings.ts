// What Whisper's generation has beyond that of other models (Radford et al., arXiv:2212.04356): language, task and timestamps are
// tokens at the beginning. Options mean what they mean in transformers.
import { InputError } from '../batch.ts';
import { OptionError } from '../options.ts';

type Json = Readonly<Record<string, unknown>>;

export interface SpeechOptions {
  /** Of what is spoken: a code such as `de`, its token `<|de|>`, or its English name; for all rows or each. Default: it is detected. */
  readonly language?: string | readonly string[] | null;
  /** Write in the language that is spoken, or in English. Default: transcribe. */
  readonly task?: 'transcribe' | 'translate' | null;
  /** Let the model say when what is said; the result has no prompt then. Default: as generation_config.json says, else no. */
  readonly returnTimestamps?: boolean | null;
}

export interface SpeechSettings {
  /** The first token. */
  readonly start: number;
  /** Tokens after it that a configuration forces; null for a language that is to be detected. */
  readonly forced: readonly (number | null)[];
  readonly languages: readonly string[] | undefined;
  readonly languageIds: Readonly<Record<string, number>> | undefined;
  readonly task: string | undefined;
  readonly taskIds: Readonly<Record<string, number>> | undefined;
  readonly timestamps: boolean;
  /** The token that says that there are none; timestamps are the tokens after it. */
  readonly noTimestamps: number | undefined;
  /** The last timestamp that may come first, counted from the first one. */
  readonly maxInitialTimestamp: number | undefined;
}

/** Options that are dealt with here and not among those of all models. */
export const speechOptionNames: ReadonlySet<string> = new Set(
  [
    'language',
    'task',
    'return_timestamps',
    'is_multilingual',
    'lang_to_id',
    'task_to_id',
    'no_timestamps_token_id',
    'max_initial_timestamp_index',
    'forced_decoder_ids',
    'prev_sot_token_id',
    'alignment_heads',
    'median_filter_width',
    'return_token_timestamps',
    'return_segments',
    'prompt_ids',
    'prompt_condition_type',
    'condition_on_prev_tokens',
    'compression_ratio_threshold',
    'logprob_threshold',
    'no_speech_threshold',
    'num_segment_frames',
    'time_precision',
    'time_precision_features',
    'monitor_progress',
    'force_unique_generate_call',
  ].flatMap((name) => [name, camel(name)]),
);

/** Options that would change the result and are not supported, with the value at which they do nothing. */
const unsupported: Readonly<Record<string, unknown>> = {
  return_token_timestamps: false,
  return_segments: false,
  prompt_ids: undefined,
  condition_on_prev_tokens: false,
  compression_ratio_threshold: undefined,
  logprob_threshold: undefined,
  no_speech_threshold: undefined,
  num_segment_frames: undefined,
};

export interface SpeechSources {
  readonly call: Json;
  readonly generationConfig: Json;
  readonly config: Json;
}

export function speechSettings({ call, generationConfig, config }: SpeechSources): SpeechSettings {
  const value = (name: string): unknown => call[camel(name)] ?? call[name] ?? generationConfig[name] ?? undefined;
  for (const [name, neutral] of Object.entries(unsupported))
    if (value(name) !== undefined && value(name) !== neutral)
      throw new OptionError(
        `generate: option "${name}" is not supported: ${JSON.stringify(value(name))}; leave it out`,
      );
  const task = text('task', value('task'));
  const language = value('language');
  if (generationConfig['is_multilingual'] === false && (task !== undefined || language !== undefined))
    throw new OptionError(
      'generate: option language or task is given; this model knows English only, so leave them out',
    );
  const taskIds = idsByName('task_to_id', value('task_to_id'));
  if (task !== undefined && taskIds?.[task] === undefined)
    throw new OptionError(
      `generate: option task is "${task}"; this model has ${Object.keys(taskIds ?? {}).join(', ') || 'none'}`,
    );
  const timestamps = value('return_timestamps') === true;
  const noTimestamps = id('no_timestamps_token_id', value('no_timestamps_token_id'));
  if (timestamps && noTimestamps === undefined)
    throw new OptionError(
      'generate: option returnTimestamps is true; no_timestamps_token_id is not set, which says where they begin',
    );
  const start = id('decoder_start_token_id', value('decoder_start_token_id') ?? config['decoder_start_token_id']);
  if (start === undefined)
    throw new OptionError('generate: option decoderStartTokenId is not set; an encoder-decoder begins with it');
  return {
    start,
    forced:
      task === undefined && language === undefined
        ? forcedIds(value('forced_decoder_ids') ?? config['forced_decoder_ids'])
        : [],
    languages: language === undefined ? undefined : [language].flat().map((l) => text('language', l) ?? ''),
    languageIds: idsByName('lang_to_id', value('lang_to_id')),
    task,
    taskIds,
    timestamps,
    noTimestamps,
    maxInitialTimestamp: id('max_initial_timestamp_index', value('max_initial_timestamp_index')),
  };
}

/** The first tokens of one row. `language` is the token of its language, if it is known. */
export function speechPrompt(settings: SpeechSettings, language: number | undefined): number[] {
  const { start, forced, taskIds, noTimestamps, timestamps } = settings;
  const tokens: (number | null)[] = [start, ...forced];
  if (language !== undefined) tokens[1] = language;
  const task = settings.task ?? (settings.languages && taskIds ? 'transcribe' : undefined);
  const tasks = Object.values(taskIds ?? {});
  if (task !== undefined && !tokens.some((t) => t !== null && tasks.includes(t))) tokens.push(taskIds![task]!);
  if (!timestamps && noTimestamps !== undefined && tokens.at(-1) !== noTimestamps) tokens.push(noTimestamps);
  if (timestamps && tokens.at(-1) === noTimestamps) tokens.pop();
  return tokens.filter((t) => t !== null);
}

/** Must the language be found out first? */
export const languageIsOpen = ({ languages, languageIds, forced }: SpeechSettings): boolean =>
  languages === undefined && languageIds !== undefined && (forced[0] ?? null) === null;

/** The token of each row's language; undefined where nobody says and nothing is to be found out. */
export function languageTokens({ languages, languageIds = {} }: SpeechSettings, rows: number): number[] | undefined {
  if (!languages) return undefined;
  if (languages.length !== 1 && languages.length !== rows)
    throw new InputError(
      `generate: option language has ${languages.length} entries for ${rows} rows; give one, or one a row`,
    );
  const tokens = languages.map((language) => languageToken(language, languageIds));
  return Array.from({ length: rows }, (_, r) => tokens[tokens.length === 1 ? 0 : r]!);
}

function languageToken(language: string, ids: Readonly<Record<string, number>>): number {
  const asked = language.toLowerCase();
  const names = new Intl.DisplayNames('en', { type: 'language' });
  const found = Object.keys(ids).find((token) => {
    const code = token.replace(/^<\|(.*)\|>$/, '$1');
    return asked === token || asked === code || asked === names.of(code)?.toLowerCase();
  });
  if (found !== undefined) return ids[found]!;
  const known = Object.keys(ids).map((token) => token.replace(/^<\|(.*)\|>$/, '$1'));
  throw new OptionError(`generate: option language is "${language}"; this model knows ${known.join(', ') || 'none'}`);
}

/** Pairs of place and token, places from 1 on. */
function forcedIds(value: unknown): (number | null)[] {
  if (value === undefined || value === null) return [];
  const pairs = value as readonly (readonly [number, number | null])[];
  const fits =
    Array.isArray(value) &&
    pairs.every((p, i) => Array.isArray(p) && p[0] === i + 1 && (p[1] === null || Number.isSafeInteger(p[1])));
  if (!fits)
    throw new OptionError(
      `generate: option forced_decoder_ids is ${JSON.stringify(value).slice(0, 60)}; expected pairs of place and token, places 1, 2, …`,
    );
  return pairs.map(([, token]) => token);
}

function text(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new OptionError(`generate: option ${name} is ${JSON.stringify(value)}; expected a string`);
}

function id(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new OptionError(`generate: option ${name} is ${JSON.stringify(value)}; expected a whole number from 0 on`);
}

function idsByName(name: string, value: unknown): Readonly<Record<string, number>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object' && Object.values(value).every((v) => Number.isSafeInteger(v)))
    return value as Readonly<Record<string, number>>;
  throw new OptionError(
    `generate: option ${name} is ${JSON.stringify(value).slice(0, 60)}; expected token ids by name`,
  );
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
