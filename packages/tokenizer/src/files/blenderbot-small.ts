// BlenderbotSmall's vocab.json and merges.txt: BPE whose merges mark the end of words (lo w</w>) and whose tokens mark that one
// goes on (lo@@ w). What merging makes and no token stands for is unknown.
import { eachToken, sequence } from '../decoders/step.ts';
import { fuse, replaceText } from '../decoders/text.ts';
import { TokenizerError } from '../errors.ts';
import { show, type Json } from '../json.ts';
import { Bpe, Merges } from '../models/bpe.ts';
import type { Model, Tokens } from '../models/model.ts';
import { readVocab } from '../models/vocab.ts';
import { whitespaceSplit } from '../pre-tokenizers/words.ts';
import type { Edit } from '../text.ts';
import { Tokenizer } from '../tokenizer.ts';
import type { TokenizerConfig } from './config.ts';

const END = '</w>';
const GOES_ON = '@@';
/** Stands for the unknown token among the parts, which are never empty. */
const NONE = '';

export function blenderbotSmallFiles(json: Json, merges: readonly string[], config: TokenizerConfig): Tokenizer {
  const vocab = readVocab(json);
  const special = (['bos', 'eos', 'unk', 'pad'] as const).map((name) => config.special(name, DEFAULTS[name]));
  const unknown = vocab.get(special[2]!) ?? json.fail(`the special token ${special[2]} is missing`);
  return new Tokenizer({
    addedTokens: config.addedTokens((token) => vocab.get(token), special),
    normalizer: [spaced],
    preTokenizer: whitespaceSplit(),
    model: new Marked(vocab, merges, unknown),
    postProcessor: { added: () => 0, process: (parts) => parts },
    decoder: sequence([
      eachToken((text, index) => (index > 0 ? ` ${text}` : text)),
      fuse,
      replaceText(`${GOES_ON} `, ''),
    ]),
    chat: config.chat,
  });
}

const DEFAULTS = { bos: '__start__', eos: '__end__', unk: '__unk__', pad: '__null__' };

/** Small letters; spaces before punctuation and around apostrophes; a sign for the end of a line right behind a word. */
const spaced: Edit = {
  rewrite(text, put) {
    let at = 0;
    let last = ' ';
    for (const character of text) {
      if (/[.,!?()]/.test(character)) put(` ${character}`, at);
      else if (character === "'") put(" ' ", at);
      else if (character === '\n') put(/[\p{White_Space}']/u.test(last) ? ' ' : ' __newln__ ', at);
      else put(character.toLowerCase(), at);
      at += character.length;
      last = character;
    }
  },
};

class Marked implements Model {
  readonly vocab: ReadonlyMap<string, number>;
  readonly #bpe: Bpe;
  readonly #past: number;
  readonly #unknown: number;

  constructor(vocab: ReadonlyMap<string, number>, lines: readonly string[], unknown: number) {
    this.vocab = vocab;
    this.#unknown = unknown;
    // What is no token gets an id past the last one.
    this.#past = [...vocab.values()].reduce((most, id) => Math.max(most, id + 1), 0);
    const symbols = new Map<string, number>();
    for (const [token, id] of vocab) symbols.set(token.endsWith(GOES_ON) ? token.slice(0, -2) : token + END, id);
    let free = this.#past;
    const idOf = (symbol: string): number => {
      if (!symbols.has(symbol)) symbols.set(symbol, free++);
      return symbols.get(symbol)!;
    };
    const merges = new Merges();
    for (const line of lines) {
      const [left, right, ...more] = line.split(' ');
      if (!left || !right || more.length > 0) {
        throw new TokenizerError(`merges.txt: ${show(line)} is no merge; it must be two parts with a space between`);
      }
      merges.add(idOf(left), idOf(right), idOf(left + right));
    }
    symbols.set(NONE, unknown);
    this.#bpe = new Bpe({ vocab: symbols, merges, unknown: NONE, suffix: END });
  }

  encode(word: string): Tokens {
    const { ids, spans } = this.#bpe.encode(word);
    return { ids: ids.map((id) => (id < this.#past ? id : this.#unknown)), spans };
  }
}
