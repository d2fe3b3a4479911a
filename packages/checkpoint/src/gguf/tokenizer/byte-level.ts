// "gpt2": byte-level BPE. The file names the way of cutting texts into words; the expressions are those of the tokenizers that the
// names stand for in llama.cpp.
import type { JsonObject } from '../../json.ts';
import { addedTokens, ends, vocab, type Vocabulary } from './tokens.ts';

/** How texts are cut: by ByteLevel's own expression, or by one of these before it. */
interface Cut {
  /** Digits go one by one first. */
  readonly digits?: true;
  readonly pattern?: string;
  readonly normalizer?: 'NFC';
  /** A word that is a token is not built from merges. */
  readonly ignoreMerges?: true;
}

const contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const words = (digits: string): string =>
  `${contraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const letters = (first: string, more: string): string =>
  `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]${first}[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]${more}`;

const plain: Cut = {};
const llama3: Cut = { pattern: words('\\p{N}{1,3}'), ignoreMerges: true };
const qwen2: Cut = { pattern: words('\\p{N}'), normalizer: 'NFC' };
const digits: Cut = { digits: true };
const gpt4o: Cut = {
  pattern: `${letters('*', '+')}${contraction}?|${letters('+', '*')}${contraction}?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
};

/** By `tokenizer.ggml.pre`. */
const cuts: ReadonlyMap<string, Cut> = new Map(
  Object.entries({
    default: plain,
    'gpt-2': plain,
    'phi-2': plain,
    mpt: plain,
    olmo: plain,
    'jina-es': plain,
    'jina-de': plain,
    'jina-v2-es': plain,
    'jina-v2-de': plain,
    'roberta-bpe': plain,
    'llama-bpe': llama3,
    llama3,
    'llama-v3': llama3,
    qwen2,
    stablelm2: { pattern: words('\\p{N}') },
    smollm: digits,
    starcoder: digits,
    refact: digits,
    'command-r': digits,
    'gpt-4o': gpt4o,
  }),
);

export function byteLevel(vocabulary: Vocabulary): JsonObject {
  const { metadata, tokens } = vocabulary;
  const name = metadata.text('tokenizer.ggml.pre', 'default');
  const cut =
    cuts.get(name) ??
    metadata.fail('tokenizer.ggml.pre', `"${name}" is not supported`, `one of ${[...cuts.keys()].join(', ')}`);
  const spaced = metadata.flag('tokenizer.ggml.add_space_prefix', false);
  const level = { type: 'ByteLevel', add_prefix_space: spaced, trim_offsets: true, use_regex: !cut.pattern };
  const split = { type: 'Split', pattern: { Regex: cut.pattern }, behavior: 'Isolated', invert: false };
  const before = cut.digits ? [{ type: 'Digits', individual_digits: true }] : cut.pattern ? [split] : [];
  const template = ends(vocabulary, { bos: cut.ignoreMerges === true, eos: false });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    normalizer: cut.normalizer ? { type: cut.normalizer } : null,
    pre_tokenizer: before.length === 0 ? level : { type: 'Sequence', pretokenizers: [...before, level] },
    post_processor: template ?? { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: cut.ignoreMerges === true,
      vocab: vocab(tokens),
      merges: metadata.texts('tokenizer.ggml.merges'),
    },
  };
}
