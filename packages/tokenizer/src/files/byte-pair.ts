// vocab.json and merges.txt: byte-level BPE as GPT-2, RoBERTa and Qwen2 have it, written down as tokenizer.json.
import { TokenizerError } from '../errors.ts';
import type { Json } from '../json.ts';
import { Tokenizer } from '../tokenizer.ts';
import { writeAddedTokens, type IdOf, type TokenizerConfig } from './config.ts';

const QWEN_WORDS = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

/** What differs between the kinds. */
interface Kind {
  /** Names of the classes of transformers, without the ending Tokenizer. */
  readonly classes: readonly string[];
  parts(
    context: Context,
  ): { specials: string[]; takingSpace?: string } & Record<'pre_tokenizer' | 'post_processor', object>;
}

interface Context {
  readonly config: TokenizerConfig;
  /** The pre-tokenizer of GPT-2. */
  readonly byteLevel: Record<string, unknown>;
  /** The id of a token that must be there. */
  readonly required: (token: string) => number;
}

const kinds: readonly Kind[] = [
  {
    classes: ['GPT2', 'CodeGen'],
    parts: ({ config, byteLevel, required }) => {
      const [bos, eos, unk] = (['bos', 'eos', 'unk'] as const).map((name) => config.special(name, '<|endoftext|>'));
      const adds = config.json.at('add_bos_token').boolean(false);
      return {
        specials: [bos!, eos!, unk!],
        pre_tokenizer: byteLevel,
        post_processor: adds ? beginning(bos!, required(bos!)) : { ...byteLevel, trim_offsets: false },
      };
    },
  },
  {
    classes: ['Roberta', 'Bart', 'Longformer', 'LED'],
    parts: ({ config, byteLevel, required }) => {
      const [cls, sep] = [config.special('cls', '<s>'), config.special('sep', '</s>')];
      const mask = config.special('mask', '<mask>');
      return {
        specials: [cls, sep, mask, config.special('unk', '<unk>'), config.special('pad', '<pad>')],
        takingSpace: mask,
        pre_tokenizer: byteLevel,
        post_processor: {
          ...byteLevel,
          type: 'RobertaProcessing',
          sep: [sep, required(sep)],
          cls: [cls, required(cls)],
        },
      };
    },
  },
  {
    classes: ['Qwen2', 'Qwen3'],
    parts: ({ byteLevel }) => {
      const split = { type: 'Split', pattern: { Regex: QWEN_WORDS }, behavior: 'Isolated', invert: false };
      const bytes = { ...byteLevel, use_regex: false };
      return {
        specials: ['<|endoftext|>'],
        normalizer: { type: 'NFC' },
        pre_tokenizer: { type: 'Sequence', pretokenizers: [split, bytes] },
        post_processor: { ...byteLevel, trim_offsets: false },
      };
    },
  },
];

export function bytePairFiles(vocab: Json, merges: string, config: TokenizerConfig): Promise<Tokenizer> {
  const idOf: IdOf = (token) => (vocab.at(token).missing ? undefined : vocab.at(token).count());
  const required = (token: string): number => idOf(token) ?? vocab.fail(`the special token ${token} is missing`);
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: config.json.at('add_prefix_space').boolean(false),
    trim_offsets: true,
    use_regex: true,
  };
  const { specials, takingSpace, ...rest } = kindOf(config, idOf).parts({ config, byteLevel, required });
  const parts = {
    ...rest,
    added_tokens: writeAddedTokens(config.addedTokens(idOf, specials, takingSpace)),
    model: { type: 'BPE', vocab: vocab.object(), merges: readMerges(merges) },
    decoder: byteLevel,
  };
  return Tokenizer.fromJSON(parts, { name: 'vocab.json and merges.txt', chat: config.chat });
}

function kindOf({ className }: TokenizerConfig, idOf: IdOf): Kind {
  const roberta = ['<s>', '</s>', '<mask>'].every((token) => idOf(token) !== undefined);
  const name = className.replace(/Tokenizer$/, '') || (roberta ? 'Roberta' : 'GPT2');
  const kind = kinds.find(({ classes }) => classes.includes(name));
  if (kind) return kind;
  const known = kinds.flatMap(({ classes }) => classes).map((each) => `${each}Tokenizer`);
  throw new TokenizerError(
    `tokenizer_config.json: tokenizer_class is ${className}; with vocab.json and merges.txt known are ${known.join(', ')}`,
  );
}

/** One merge a line, best first, behind a line with the version. */
function readMerges(text: string): string[] {
  return text.split(/\r?\n/).filter((line, i) => line !== '' && !(i === 0 && line.startsWith('#version')));
}

function beginning(bos: string, id: number): object {
  const token = { SpecialToken: { id: bos, type_id: 0 } };
  const text = (id: string, type_id: number): object => ({ Sequence: { id, type_id } });
  return {
    type: 'TemplateProcessing',
    single: [token, text('A', 0)],
    pair: [token, text('A', 0), text('B', 1)],
    special_tokens: { [bos]: { id: bos, ids: [id], tokens: [bos] } },
  };
}
