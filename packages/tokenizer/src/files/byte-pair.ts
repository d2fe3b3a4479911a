// vocab.json and merges.txt: byte-level BPE as GPT-2, RoBERTa, Qwen2, CLIP and Whisper have it, written down as tokenizer.json.
import type { Json } from '../json.ts';
import { Tokenizer } from '../tokenizer.ts';
import { blenderbotSmallFiles } from './blenderbot-small.ts';
import { writeAddedTokens, type IdOf, type SpecialName, type TokenizerConfig } from './config.ts';
import { around, bertTemplate, type Place } from './template.ts';

const QWEN_WORDS = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const CLIP_WORDS = String.raw`<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`;

/** What differs between the kinds. */
interface Kind {
  /** Names of the classes of transformers, without the ending Tokenizer. */
  readonly classes: readonly string[];
  parts(context: Context): Parts;
}

interface Parts {
  /** Tokens that are found in texts and skipped in decoding. */
  specials: readonly string[];
  /** One of them that takes the spaces before it along. */
  takingSpace?: string;
  /** Options of the model beside its vocabulary and merges. */
  model?: object;
  /** Other fields of tokenizer.json. */
  fields: object;
}

interface Context {
  readonly config: TokenizerConfig;
  readonly vocab: Json;
  /** GPT-2's words and bytes, with a space in front if the files say so or, where they don't, `fallback` does. */
  readonly byteLevel: (fallback?: boolean) => object;
  /** The id of a token that must be there. */
  readonly idOf: (token: string) => number;
}

const SMALL = { classes: ['BlenderbotSmall'] };

const GPT2: Kind = {
  classes: ['GPT2', 'CodeGen'],
  parts: ({ config, byteLevel, idOf }) => {
    const [bos, eos, unk] = specials(config, ['bos', 'eos', 'unk'], '<|endoftext|>');
    const adds = config.json.at('add_bos_token').boolean(false);
    return {
      specials: [bos!, eos!, unk!],
      fields: {
        pre_tokenizer: byteLevel(),
        post_processor: adds ? around([bos!, '$A'], [bos!, '$A', ['$B', 1]], idOf) : UNTRIMMED,
      },
    };
  },
};

const ROBERTA: Kind = {
  classes: ['Roberta', 'Bart', 'Longformer', 'LED', 'Mvp'],
  parts: ({ config, byteLevel, idOf }) => {
    const [cls, sep] = [config.special('cls', '<s>'), config.special('sep', '</s>')];
    const mask = config.special('mask', '<mask>');
    const words = byteLevel();
    return {
      specials: [cls, sep, mask, config.special('unk', '<unk>'), config.special('pad', '<pad>')],
      takingSpace: mask,
      fields: {
        pre_tokenizer: words,
        post_processor: { ...words, type: 'RobertaProcessing', sep: [sep, idOf(sep)], cls: [cls, idOf(cls)] },
      },
    };
  },
};

const kinds: readonly Kind[] = [
  GPT2,
  ROBERTA,
  {
    classes: ['Deberta'],
    parts: ({ config, byteLevel, idOf }) => {
      const [cls, sep, mask] = [config.special('cls', '[CLS]'), config.special('sep', '[SEP]'), config.special('mask', '[MASK]')];
      return {
        specials: [cls, sep, mask, config.special('unk', '[UNK]'), config.special('pad', '[PAD]')],
        takingSpace: mask,
        fields: { pre_tokenizer: byteLevel(), post_processor: bertTemplate(cls, sep, idOf) },
      };
    },
  },
  {
    classes: ['Blenderbot'],
    parts: ({ config, byteLevel, idOf }) => {
      const eos = config.special('eos', '</s>');
      const mask = config.special('mask', '<mask>');
      return {
        specials: [config.special('bos', '<s>'), eos, mask, config.special('unk', '<unk>'), config.special('pad', '<pad>')],
        takingSpace: mask,
        fields: { pre_tokenizer: byteLevel(true), post_processor: around(['$A', eos], ['$A', ['$B', 1]], idOf) },
      };
    },
  },
  {
    classes: ['Qwen2', 'Qwen3'],
    parts: ({ byteLevel }) => {
      const split = { type: 'Split', pattern: { Regex: QWEN_WORDS }, behavior: 'Isolated', invert: false };
      return {
        specials: ['<|endoftext|>'],
        fields: {
          normalizer: { type: 'NFC' },
          pre_tokenizer: sequence('pretokenizers', split, { ...byteLevel(), use_regex: false }),
          post_processor: UNTRIMMED,
        },
      };
    },
  },
  {
    classes: ['CLIP'],
    parts: ({ config, byteLevel, idOf }) => {
      const [bos, eos] = [config.special('bos', '<|startoftext|>'), config.special('eos', '<|endoftext|>')];
      const unk = config.special('unk', '<|endoftext|>');
      const replace = (pattern: object): object => ({ type: 'Replace', pattern, content: ' ' });
      const split = { type: 'Split', pattern: { Regex: CLIP_WORDS }, behavior: 'Removed', invert: true };
      const ends = { sep: [eos, idOf(eos)], cls: [bos, idOf(bos)], trim_offsets: false, add_prefix_space: false };
      return {
        specials: [bos, eos, unk, config.special('pad', '<|endoftext|>')],
        model: { end_of_word_suffix: '</w>', unk_token: unk },
        fields: {
          normalizer: sequence('normalizers', { type: 'NFC' }, replace({ Regex: String.raw`\s+` }), { type: 'Lowercase' }),
          pre_tokenizer: sequence('pretokenizers', split, byteLevel()),
          post_processor: { type: 'RobertaProcessing', ...ends },
          decoder: sequence('decoders', UNTRIMMED, replace({ String: '</w>' }), { type: 'Strip', content: ' ', start: 0, stop: 1 }),
        },
      };
    },
  },
  { classes: ['Whisper'], parts: whisper },
]; // prettier-ignore

/** A transcript begins with what it is: <|startoftranscript|><|de|><|transcribe|><|notimestamps|>. */
function whisper({ config, vocab, byteLevel, idOf }: Context): Parts {
  const { json } = config;
  const [eos, ...others] = specials(config, ['eos', 'bos', 'unk', 'pad'], '<|endoftext|>') as [string, ...string[]];
  const [language, task] = [json.at('language'), json.at('task')];
  const begin = ['<|startoftranscript|>'];
  if (!language.missing) begin.push(languageToken(language, config, vocab));
  if (!task.missing) begin.push(`<|${task.oneOf(['transcribe', 'translate'])}|>`);
  if (!json.at('predict_timestamps').boolean(false)) begin.push('<|notimestamps|>');
  const pair: Place[] = [...begin, '$A', ['$B', 1], [eos, 1]];
  return {
    specials: [eos, ...others],
    fields: { pre_tokenizer: byteLevel(), post_processor: around([...begin, '$A', eos], pair, idOf) },
  };
}

/** A language by its code or its English name. */
function languageToken(json: Json, config: TokenizerConfig, vocab: Json): string {
  const wanted = json.string().toLowerCase();
  const names = new Intl.DisplayNames('en', { type: 'language' });
  const tokens = [...Object.keys(vocab.object()), ...config.addedTokens(() => undefined, []).map(({ content }) => content)];
  const found = tokens.find((token) => {
    const code = /^<\|([a-z]{2,3})\|>$/.exec(token)?.[1];
    return code !== undefined && (code === wanted || names.of(code)?.toLowerCase() === wanted);
  });
  return found ?? json.fail(`is ${wanted}, which no token stands for, such as <|en|> for English`);
} // prettier-ignore

const UNTRIMMED = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: true };

function sequence(name: string, ...parts: object[]): object {
  return { type: 'Sequence', [name]: parts };
}

function specials(config: TokenizerConfig, names: readonly SpecialName[], fallback: string): string[] {
  return names.map((name) => config.special(name, fallback));
}

export async function bytePairFiles(vocab: Json, merges: string, config: TokenizerConfig): Promise<Tokenizer> {
  const find: IdOf = (token) => (vocab.at(token).missing ? undefined : vocab.at(token).count());
  const listed = new Map(config.addedTokens(() => undefined, []).map(({ content, id }) => [content, id]));
  const idOf = (token: string): number =>
    find(token) ?? listed.get(token) ?? vocab.fail(`the special token ${token} is missing`);
  const byteLevel = (fallback = false): object => {
    const add_prefix_space = config.json.at('add_prefix_space').boolean(fallback);
    return { type: 'ByteLevel', add_prefix_space, trim_offsets: true, use_regex: true };
  };
  const kind = config.kind([...kinds, SMALL], 'vocab.json and merges.txt') ?? (isRoberta(find) ? ROBERTA : GPT2);
  if (!('parts' in kind)) return blenderbotSmallFiles(vocab, readMerges(merges), config);
  const parts = kind.parts({ config, vocab, byteLevel, idOf });
  const json = {
    decoder: UNTRIMMED,
    ...parts.fields,
    added_tokens: writeAddedTokens(config.addedTokens(find, parts.specials, parts.takingSpace)),
    model: { type: 'BPE', vocab: vocab.object(), merges: readMerges(merges), ...parts.model },
  };
  return Tokenizer.fromJSON(json, { name: 'vocab.json and merges.txt', chat: config.chat });
}

function isRoberta(idOf: IdOf): boolean {
  return ['<s>', '</s>', '<mask>'].every((token) => idOf(token) !== undefined);
}

/** One merge a line, best first, behind a line with the version. */
function readMerges(text: string): string[] {
  return text.split(/\r?\n/).filter((line, i) => line !== '' && !(i === 0 && line.startsWith('#version')));
}
