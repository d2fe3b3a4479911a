// How a folder says that texts become vectors: the files of sentence-transformers, where they are there. modules.json lists the steps,
// 1_Pooling/config.json how tokens are pooled, sentence_bert_config.json how long texts may be, config_sentence_transformers.json
// what is put before them.
import { readJson } from '@transept/checkpoint';
import type { Files, JsonObject } from '@transept/checkpoint';
import type { Pooling } from '@transept/generate';
import { ConfigError, ConfigReader } from '@transept/models';

export interface SentenceConfig {
  readonly pooling: readonly Pooling[];
  readonly normalize: boolean;
  /** Longer texts are cut to so many tokens, special ones counted. Undefined: as many as the model takes. */
  readonly maxTokens: number | undefined;
  readonly lowerCase: boolean;
  /** Texts that may be put before what is encoded, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  /** The one that is, if nobody says otherwise. */
  readonly defaultPrompt: string | undefined;
}

/** Without modules.json: the mean over all tokens, brought to length one. Throws a ConfigError for a step that is not supported. */
export async function readSentenceConfig(files: Files, signal?: AbortSignal): Promise<SentenceConfig> {
  const options = signal ? { signal } : {};
  const optional = async (path: string): Promise<ConfigReader> => {
    const json: JsonObject = (await files.has(path, options)) ? await readJson(files, path, options) : {};
    return new ConfigReader(json, path);
  };
  const steps = (await files.has('modules.json', options)) ? await readSteps(files, options) : undefined;
  const pool = steps?.find(({ kind }) => kind === 'Pooling');
  const [text, prompts, tokenizer] = await Promise.all(
    ['sentence_bert_config.json', 'config_sentence_transformers.json', 'tokenizer_config.json'].map(optional),
  );
  const transformer = steps?.find(({ kind }) => kind === 'Transformer');
  const length = [text!, tokenizer!].map((c, i) => tokenLimit(c, i === 0 ? 'max_seq_length' : 'model_max_length'));
  return {
    pooling: pool ? poolingOf(await optional(`${pool.path}/config.json`)) : steps ? noPooling(files) : ['mean'],
    normalize: steps ? steps.some(({ kind }) => kind === 'Normalize') : true,
    maxTokens: length.find((n) => n !== undefined),
    lowerCase: transformer !== undefined && text!.flag('do_lower_case', false),
    ...promptsOf(prompts!),
  };
}

interface Step {
  /** The last part of its class. */
  readonly kind: string;
  readonly path: string;
}

async function readSteps(files: Files, options: { signal?: AbortSignal }): Promise<Step[]> {
  const what = `${files.name}/modules.json`;
  const end = await files.size('modules.json', options);
  if (end > 1e6) throw new ConfigError(`${what}: it has ${end} bytes; expected a short list`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(await files.read('modules.json', { start: 0, end, ...options })));
  } catch (cause) {
    throw new ConfigError(`${what}: it is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (!Array.isArray(json)) throw new ConfigError(`${what}: it is no list; expected the steps from text to vector`);
  return json.map((entry: unknown, i): Step => {
    const { type, path = '' } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
    const kind = String(type).split('.').at(-1)!;
    if (!['Transformer', 'Pooling', 'Normalize'].includes(kind) || typeof path !== 'string')
      throw new ConfigError(
        `${what}: step ${i} is "${String(type)}", which is not supported; there is Transformer, Pooling, Normalize`,
      );
    return { kind, path };
  });
}

const modes: Readonly<Record<string, Pooling>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'meanSqrtLength',
  pooling_mode_weightedmean_tokens: 'weightedMean',
  pooling_mode_lasttoken: 'lastToken',
};

const modeNames: Readonly<Record<string, Pooling>> = {
  cls: 'cls',
  max: 'max',
  mean: 'mean',
  mean_sqrt_len_tokens: 'meanSqrtLength',
  weightedmean: 'weightedMean',
  lasttoken: 'lastToken',
};

function poolingOf(config: ConfigReader): readonly Pooling[] {
  config.only('include_prompt', true);
  if (config.has('pooling_mode')) {
    const names = [config.textOrList('pooling_mode')].flat().map(String);
    return names.map(
      (name) =>
        modeNames[name] ?? config.fail('pooling_mode', `"${name}" is not supported`, Object.keys(modeNames).join(', ')),
    );
  }
  const found = Object.entries(modes).filter(([key]) => config.flag(key, false));
  return found.length > 0 ? found.map(([, kind]) => kind) : ['mean'];
}

function noPooling({ name }: Files): never {
  throw new ConfigError(`${name}/modules.json: no step is a Pooling; expected one, for there is no vector without`);
}

/** Some files say that there is no limit with a huge number. */
function tokenLimit(config: ConfigReader, key: string): number | undefined {
  const limit = config.has(key) ? config.number(key) : Infinity;
  return limit >= 1 && limit < 1e9 ? Math.floor(limit) : undefined;
}

function promptsOf(config: ConfigReader): Pick<SentenceConfig, 'prompts' | 'defaultPrompt'> {
  const inner = config.inner('prompts');
  const prompts = Object.fromEntries((inner?.keys ?? []).map((name) => [name, inner!.text(name)]));
  const name = config.has('default_prompt_name') ? config.text('default_prompt_name') : undefined;
  if (name !== undefined && !Object.hasOwn(prompts, name))
    config.fail(
      'default_prompt_name',
      `"${name}" is not among the prompts`,
      `one of ${Object.keys(prompts).join(', ')}`,
    );
  return { prompts, defaultPrompt: name };
}
