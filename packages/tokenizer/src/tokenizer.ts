// Text to token ids and back, in the order of Hugging Face's `tokenizers`: added tokens are cut out, the rest is normalized,
// pre-tokenized, given to the model word by word, and special tokens are put around it. Decoding goes through the decoder.
import { Matcher, readAddedTokens, type AddedToken } from './added-tokens.ts';
import type { Chat, ChatMessage, ChatOptions } from './chat/chat-template.ts';
import { readDecoder } from './decoders/index.ts';
import type { Decoder } from './decoders/step.ts';
import { join, type Details, type Encoding, type Offsets, type Part } from './encoding.ts';
import { TokenizerError } from './errors.ts';
import { Json } from './json.ts';
import { readModel } from './models/index.ts';
import type { Model, Tokens } from './models/model.ts';
import { readNormalizer } from './normalizers/index.ts';
import { readPostProcessor } from './post-processors/index.ts';
import type { PostProcessor } from './post-processors/post-processor.ts';
import { readPreTokenizer } from './pre-tokenizers/index.ts';
import type { Stage } from './pre-tokenizers/stage.ts';
import { Text, unitsAt, type Edit } from './text.ts';
import { pad, readPadding, readTruncation, truncate, type Padding, type Truncation } from './truncation.ts';

export interface EncodeOptions {
  /** A second text, as models for pairs take it. */
  pair?: string;
  /** Whether the post-processor puts its special tokens in; default true. */
  addSpecialTokens?: boolean;
  /** Instead of what the file says; false for none. */
  truncation?: Truncation | false;
  /** Instead of what the file says; false for none. */
  padding?: Padding | false;
  /** What offsets count; default UTF-16 units, as JavaScript's strings do. */
  offsets?: 'utf16' | 'codePoints';
}

export interface DecodeOptions {
  /** Whether special tokens stay out of the text; default true. */
  skipSpecialTokens?: boolean;
}

/** Decodes ids one at a time. */
export interface DecodeStream {
  /** The text that is certain now, perhaps none: only whole characters. All results together are what `decode` gives. */
  push(id: number): string;
  /** The rest. */
  end(): string;
}

/** What a tokenizer is made of. */
export interface TokenizerParts {
  normalizer: readonly Edit[];
  preTokenizer: readonly Stage[];
  model: Model;
  postProcessor: PostProcessor;
  decoder: Decoder;
  addedTokens: readonly AddedToken[];
  truncation?: Truncation | undefined;
  padding?: Padding | undefined;
  chat?: Chat | undefined;
}

/** Words longer than this are not worth remembering, and no more than so many are. */
const CACHED_LENGTH = 64;
const CACHED_WORDS = 16_384;
/** So many characters show where a normalized text begins. */
const LOOK_AHEAD = 256;

export class Tokenizer {
  readonly #parts: TokenizerParts;
  readonly #raw = new Matcher();
  readonly #normalized = new Matcher();
  readonly #added = new Map<string, AddedToken>();
  readonly #cache = new Map<string, Tokens>();
  readonly #addedIds = new Map<number, string>();
  /** Whether even ids depend on where the normalized text begins in the original. */
  readonly #usesStart: boolean;
  #tokens: Map<number, string> | undefined;

  constructor(parts: TokenizerParts) {
    this.#parts = parts;
    const { addedTokens, normalizer, preTokenizer } = parts;
    const usesFirst = preTokenizer.some((stage) => 'edit' in stage && stage.edit.usesFirst);
    this.#usesStart = usesFirst && normalizer.length > 0;
    const special = addedTokens.filter((token) => token.special);
    const others = addedTokens.filter((token) => !token.special);
    for (const token of [...special, ...others]) {
      const { content, normalized } = token;
      const text = normalized ? this.#normalize(Text.of(content, false)).text : content;
      this.#added.set(content, token);
      this.#addedIds.set(token.id, text);
      if (!token.hidden) (normalized ? this.#normalized : this.#raw).add(token, text);
    }
  }

  /**
   * From the contents of tokenizer.json, as text or parsed. Throws TokenizerError with the place of what is wrong; `name` is
   * what messages call the file.
   */
  static fromJSON(json: unknown, { name = 'tokenizer.json', chat }: { name?: string; chat?: Chat } = {}): Tokenizer {
    const file = Json.parse(json, name);
    return new Tokenizer({
      addedTokens: readAddedTokens(file.at('added_tokens')),
      normalizer: readNormalizer(file.at('normalizer')),
      preTokenizer: readPreTokenizer(file.at('pre_tokenizer')),
      model: readModel(file.at('model')),
      postProcessor: readPostProcessor(file.at('post_processor')),
      decoder: readDecoder(file.at('decoder')),
      truncation: readTruncation(file.at('truncation')),
      padding: readPadding(file.at('padding')),
      chat,
    });
  }

  encode(text: string, options: EncodeOptions = {}): Encoding {
    return this.#padded([this.#encode(text, options)], options)[0]!;
  }

  /** Encodes many texts, or pairs of texts, and pads them to one length if padding is on. */
  encodeBatch(
    texts: readonly (string | readonly [text: string, pair: string])[],
    options: EncodeOptions = {},
  ): Encoding[] {
    const encodings = texts.map((entry) => {
      const [text, pair] = typeof entry === 'string' ? [entry, options.pair] : entry;
      return this.#encode(text, pair === undefined ? options : { ...options, pair });
    });
    return this.#padded(encodings, options);
  }

  /** Only the ids of `encode`. */
  ids(text: string, options: EncodeOptions = {}): number[] {
    return [...this.encode(text, options).ids];
  }

  /** Ids that stand for nothing are passed over. */
  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    const stream = this.stream(options);
    let text = '';
    for (const id of ids) text += stream.push(id);
    return text + stream.end();
  }

  stream({ skipSpecialTokens = true }: DecodeOptions = {}): DecodeStream {
    let text = '';
    const step = this.#parts.decoder.start((piece) => (text += piece));
    const taken = (): string => {
      const result = text;
      text = '';
      return result;
    };
    return {
      push: (id) => {
        const token = this.idToToken(id);
        const skipped = token === undefined || (skipSpecialTokens && this.#added.get(token)?.special);
        if (!skipped) step.push(token, false);
        return taken();
      },
      end: () => {
        step.end();
        return taken();
      },
    };
  }

  /**
   * The text of a conversation as the model was trained on it. It holds its special tokens: encode it with `addSpecialTokens:
   * false`. Throws TokenizerError when the files had no template, or the template refuses the conversation.
   */
  async applyChatTemplate(messages: readonly ChatMessage[], options?: ChatOptions): Promise<string> {
    const chat = await this.#parts.chat?.();
    if (!chat) throw new TokenizerError('chat template: the files of this tokenizer have none');
    return chat.render(messages, options);
  }

  /** How many tokens there are, added ones included. */
  get vocabSize(): number {
    const { vocab } = this.#parts.model;
    return vocab.size + [...this.#added.keys()].filter((token) => !vocab.has(token)).length;
  }

  /** The special tokens, from their text to their id. */
  get specialTokens(): Map<string, number> {
    const special = [...this.#added.values()].filter((token) => token.special);
    return new Map(special.map(({ content, id }) => [content, id]));
  }

  tokenToId(token: string): number | undefined {
    return this.#added.get(token)?.id ?? this.#parts.model.vocab.get(token);
  }

  /** The text that the id decodes to: of an added token with `normalized`, that is what the normalizer makes of it. */
  idToToken(id: number): string | undefined {
    return this.#addedIds.get(id) ?? this.#modelTokens().get(id);
  }

  #modelTokens(): Map<number, string> {
    this.#tokens ??= new Map(Array.from(this.#parts.model.vocab, ([text, id]) => [id, text]));
    return this.#tokens;
  }

  #encode(text: string, options: EncodeOptions): Encoding {
    const { pair, addSpecialTokens = true, truncation = this.#parts.truncation, offsets = 'utf16' } = options;
    const { postProcessor } = this.#parts;
    const inCodePoints = offsets === 'codePoints';
    let parts: readonly Part[] = [this.#part(text, 0, inCodePoints)];
    if (pair !== undefined) parts = [...parts, this.#part(pair, 1, inCodePoints)];
    if (truncation) {
      const added = addSpecialTokens ? postProcessor.added(pair !== undefined) : 0;
      parts = truncate(parts, Math.max(0, truncation.maxLength - added), truncation);
    }
    return join(postProcessor.process(parts, addSpecialTokens));
  }

  #padded(encodings: Encoding[], { padding = this.#parts.padding }: EncodeOptions): Encoding[] {
    return padding ? pad(encodings, padding) : encodings;
  }

  #part(text: string, typeId: number, inCodePoints: boolean): Part {
    const source = text.toWellFormed();
    const ids: number[] = [];
    this.#run(
      source,
      false,
      (token) => ids.push(token.id),
      (_, tokens) => {
        for (const id of tokens.ids) ids.push(id);
      },
    );
    return { ids, typeId, kind: 'text', details: () => this.#details(source, inCodePoints) };
  }

  #details(source: string, inCodePoints: boolean): Details {
    const tokens: string[] = [];
    const offsets: Offsets[] = [];
    const words: number[] = [];
    const points = inCodePoints ? codePointIndices(source) : undefined;
    const place = (text: Text, start: number, end: number): Offsets => {
      const [from, to] = text.place(start, end);
      return points ? [points[from]!, points[to]!] : [from, to];
    };
    let word = 0;
    this.#run(
      source,
      true,
      (_, text) => {
        tokens.push(text.text);
        offsets.push(place(text, 0, text.text.length));
        words.push(word++);
      },
      (text, { ids, spans, texts }) => {
        for (const [i, id] of ids.entries()) {
          tokens.push(texts?.get(i) ?? this.#modelTokens().get(id)!);
          offsets.push(place(text, spans[2 * i]!, spans[2 * i + 1]!));
          words.push(word);
        }
        word++;
      },
    );
    return { tokens, offsets, words };
  }

  /** Goes through a text from left to right and reports its added tokens and its words. */
  #run(
    source: string,
    aligned: boolean,
    onAdded: (token: AddedToken, text: Text) => void,
    onWord: (text: Text, tokens: Tokens) => void,
  ): void {
    const whole = Text.of(source, aligned);
    this.#raw.cut(source, (start, end, token) => {
      const text = whole.slice(start, end);
      if (token) return onAdded(token, text);
      let normal = this.#normalize(text);
      if (this.#usesStart && !aligned && start === 0) normal = normal.movedTo(this.#start(text));
      this.#normalized.cut(normal.text, (start, end, token) => {
        const text = normal.slice(start, end);
        if (token) onAdded(token, text);
        else this.#words(text, 0, onWord);
      });
    });
  }

  /** Where the normalized text begins in the original: the first characters show it, unless none of them is left. */
  #start(text: Text): number {
    for (const length of [LOOK_AHEAD, text.text.length]) {
      const lead = this.#normalize(Text.of(text.text.slice(0, length), true));
      if (lead.text) return lead.place(0, 1)[0];
    }
    return 0;
  }

  #normalize(text: Text): Text {
    return this.#parts.normalizer.reduce((text, edit) => text.edit(edit), text);
  }

  #words(text: Text, stage: number, onWord: (text: Text, tokens: Tokens) => void): void {
    const { preTokenizer } = this.#parts;
    let piece = text;
    for (let i = stage; i < preTokenizer.length; i++) {
      const stage = preTokenizer[i]!;
      if ('edit' in stage) {
        piece = piece.edit(stage.edit);
        continue;
      }
      const cuts = stage.cut(piece.text);
      for (let cut = 0; cut < cuts.length; cut += 2)
        this.#words(piece.slice(cuts[cut]!, cuts[cut + 1]!), i + 1, onWord);
      return;
    }
    if (piece.text) onWord(piece, this.#encodeWord(piece.text));
  }

  #encodeWord(word: string): Tokens {
    if (word.length > CACHED_LENGTH) return this.#parts.model.encode(word);
    let tokens = this.#cache.get(word);
    if (!tokens) {
      tokens = this.#parts.model.encode(word);
      if (this.#cache.size >= CACHED_WORDS) this.#cache.clear();
      this.#cache.set(word, tokens);
    }
    return tokens;
  }
}

/** Which code point every unit of a text belongs to, and how many there are at its end. */
function codePointIndices(text: string): Uint32Array {
  const indices = new Uint32Array(text.length + 1);
  let count = 0;
  for (let i = 0; i < text.length;) {
    for (const end = i + unitsAt(text, i); i < end; i++) indices[i] = count;
    count++;
  }
  indices[text.length] = count;
  return indices;
}
