// Text to token ids and back: the pipeline makes tokens of a text, the post-processor puts special ones around them, and the
// decoder turns tokens into text again.
import { readAddedTokens, type AddedToken } from './added-tokens.ts';
import type { Chat, ChatMessage, ChatOptions } from './chat/chat-template.ts';
import { readDecoder } from './decoders/index.ts';
import type { Decoder } from './decoders/step.ts';
import { join, type Details, type Encoding, type Offsets, type Part } from './encoding.ts';
import { TokenizerError } from './errors.ts';
import { Json } from './json.ts';
import { readModel } from './models/index.ts';
import { readNormalizer } from './normalizers/index.ts';
import { append, Pipeline, type PipelineParts } from './pipeline.ts';
import { readPostProcessor } from './post-processors/index.ts';
import type { PostProcessor } from './post-processors/post-processor.ts';
import { readPreTokenizer } from './pre-tokenizers/index.ts';
import { codePointIndices, type Text } from './text.ts';
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
export interface TokenizerParts extends PipelineParts {
  postProcessor: PostProcessor;
  decoder: Decoder;
  truncation?: Truncation | undefined;
  padding?: Padding | undefined;
  chat?: Chat | undefined;
}

export class Tokenizer {
  readonly #parts: TokenizerParts;
  readonly #pipeline: Pipeline;
  readonly #added = new Map<string, AddedToken>();
  readonly #addedTexts = new Map<number, string>();
  #tokens: Map<number, string> | undefined;

  constructor(parts: TokenizerParts) {
    this.#parts = parts;
    this.#pipeline = new Pipeline(parts);
    for (const { token, text } of this.#pipeline.added) {
      this.#added.set(token.content, token);
      this.#addedTexts.set(token.id, text);
    }
  }

  /**
   * From the contents of tokenizer.json, as text or parsed. Throws TokenizerError with the place of what is wrong; `name` is
   * what messages call the file.
   */
  static async fromJSON(
    json: unknown,
    { name = 'tokenizer.json', chat }: { name?: string; chat?: Chat } = {},
  ): Promise<Tokenizer> {
    const file = Json.parse(json, name);
    const [normalizer, preTokenizer, model, postProcessor, decoder] = await Promise.all([
      readNormalizer(file.at('normalizer')),
      readPreTokenizer(file.at('pre_tokenizer')),
      readModel(file.at('model')),
      readPostProcessor(file.at('post_processor')),
      readDecoder(file.at('decoder')),
    ]);
    return new Tokenizer({
      addedTokens: readAddedTokens(file.at('added_tokens')),
      normalizer,
      preTokenizer,
      model,
      postProcessor,
      decoder,
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
    return this.#addedTexts.get(id) ?? this.#modelTokens().get(id);
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
    const add = (more: readonly number[]): void => append(ids, more);
    this.#pipeline.visit(source, {
      added: ({ id }) => ids.push(id),
      word: (_, tokens) => add(tokens.ids),
      ids: add,
    });
    return {
      ids,
      typeId,
      kind: 'text',
      details: () => this.#details(source, inCodePoints),
    };
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
    this.#pipeline.visit(source, {
      added: (_, text) => {
        tokens.push(text.text);
        offsets.push(place(text, 0, text.text.length));
        words.push(word++);
      },
      word: (text, { ids, spans, texts }) => {
        for (const [i, id] of ids.entries()) {
          tokens.push(texts?.get(i) ?? this.#modelTokens().get(id)!);
          offsets.push(place(text, spans[2 * i]!, spans[2 * i + 1]!));
          words.push(word);
        }
        word++;
      },
    });
    return { tokens, offsets, words };
  }
}
