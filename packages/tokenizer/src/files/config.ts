// What stands beside a vocabulary: tokenizer_config.json, special_tokens_map.json, added_tokens.json. Newer files repeat all of
// it in the first.
import { SPECIAL, type AddedToken } from '../added-tokens.ts';
import { ChatTemplate, readTemplates, type Chat } from '../chat/chat-template.ts';
import type { Json } from '../json.ts';
import { readOptional, readText, type TokenizerFiles } from './files.ts';

const NAMES = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'] as const;
export type SpecialName = (typeof NAMES)[number];
export type IdOf = (token: string) => number | undefined;

type Details = Omit<AddedToken, 'id' | 'content'>;

export class TokenizerConfig {
  readonly json: Json;
  readonly #template: string | undefined;
  readonly #map: Json;
  readonly #added: Json;
  readonly #model: Json;

  /** `model` is config.json, and `template` what chat_template.jinja holds. */
  constructor(config: Json, map: Json, added: Json, model: Json, template?: string) {
    this.json = config;
    this.#model = model;
    this.#map = map;
    this.#added = added;
    this.#template = template;
  }

  static async read(files: TokenizerFiles): Promise<TokenizerConfig> {
    const names = ['tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'config.json'];
    const [config, map, added, model] = await Promise.all(names.map((name) => readOptional(files, name)));
    const template = 'chat_template.jinja';
    const text = (await files.has(template)) ? await readText(files, template) : undefined;
    return new TokenizerConfig(config!, map!, added!, model!, text);
  }

  get #class(): Json {
    const json = this.json.at('tokenizer_class');
    return json.missing ? this.#model.at('tokenizer_class') : json;
  }

  /** As tokenizer_config.json or config.json has it, without the ending Fast; empty where neither says. */
  get className(): string {
    return this.#class.string('').replace(/Fast$/, '');
  }

  /**
   * Which of some kinds, by the names of the classes of transformers without the ending Tokenizer, or else by the model's type
   * in config.json. Undefined where no file tells of a known one; throws where the class is another one.
   */
  kind<T extends { readonly classes: readonly string[] }>(kinds: readonly T[], file: string): T | undefined {
    const find = (name: string): T | undefined =>
      kinds.find(({ classes }) => classes.some((each) => plain(each) === plain(name)));
    if (this.className === '') return find(this.#model.at('model_type').string(''));
    const known = kinds.flatMap(({ classes }) => classes).map((each) => `${each}Tokenizer`);
    return (
      find(this.className.replace(/Tokenizer$/, '')) ??
      this.#class.fail(`is ${this.className}; with ${file} known are ${known.join(', ')}`)
    );
  }

  /** Undefined where no file has a template. */
  readonly chat: Chat = async () => {
    const templates = readTemplates(this.json.at('chat_template'));
    if (this.#template !== undefined) templates['default'] = this.#template;
    return Object.keys(templates).length > 0 ? new ChatTemplate({ templates, tokens: this.#specials() }) : undefined;
  };

  /** A special token's text. */
  special(name: SpecialName, fallback: string): string {
    return this.#special(name)?.content ?? fallback;
  }

  /** All that the files name: bos_token and so on. */
  #specials(): Record<string, string> {
    return Object.fromEntries(
      NAMES.flatMap((name) => {
        const token = this.#special(name);
        return token ? [[`${name}_token`, token.content]] : [];
      }),
    );
  }

  /**
   * Every token that is found in texts: what the files list, and special tokens of the given texts. Those that stand in no
   * list get their id from the vocabulary, or are left out. `takingSpace` is one that takes the spaces before it along.
   */
  addedTokens(idOf: IdOf, texts: readonly string[], takingSpace = ''): AddedToken[] {
    const tokens = new Map<string, AddedToken>();
    const listed = this.json.at('added_tokens_decoder');
    if (!listed.missing) {
      for (const id of Object.keys(listed.object())) {
        if (!/^\d{1,9}$/.test(id)) listed.fail('has a key that is no id', `.${id}`);
        const json = listed.at(id);
        const content = json.at('content').string();
        tokens.set(content, { id: Number(id), content, ...details(json, false) });
      }
    }
    const specials = new Map<string, Details>(
      texts.map((content) => [content, { ...SPECIAL, lstrip: content === takingSpace }]),
    );
    for (const name of NAMES) {
      const token = this.#special(name);
      if (token) specials.set(token.content, { ...(specials.get(token.content) ?? SPECIAL), ...token.details });
    }
    for (const json of this.#additional()) specials.set(contentOf(json), detailsOf(json));
    for (const content of Object.keys(this.#added.object())) {
      const id = this.#added.at(content).count();
      const known = specials.get(content) ?? { ...SPECIAL, special: false, normalized: true };
      if (!tokens.has(content)) tokens.set(content, { id, content, ...known });
    }
    for (const [content, known] of specials) {
      const id = idOf(content);
      if (!tokens.has(content) && id !== undefined) tokens.set(content, { id, content, ...known });
    }
    return [...tokens.values()].sort((a, b) => a.id - b.id);
  }

  #special(name: SpecialName): { content: string; details?: Details } | undefined {
    const json = this.#field(`${name}_token`);
    return json && { content: contentOf(json), ...(typeof json.value === 'object' && { details: detailsOf(json) }) };
  }

  #additional(): Json[] {
    return this.#field('additional_special_tokens')?.list() ?? [];
  }

  #field(name: string): Json | undefined {
    return [this.json.at(name), this.#map.at(name)].find((json) => !json.missing);
  }
}

/** deberta-v2 and DebertaV2 are the same. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z\d]/g, '');
}

/** A token is its text, or an object with its text and how it is found. */
function contentOf(json: Json): string {
  return typeof json.value === 'object' ? json.at('content').string() : json.string();
}

function detailsOf(json: Json): Details {
  return typeof json.value === 'object' ? { ...details(json, true), special: true } : SPECIAL;
}

function details(json: Json, special: boolean): Details {
  return {
    singleWord: json.at('single_word').boolean(false),
    lstrip: json.at('lstrip').boolean(false),
    rstrip: json.at('rstrip').boolean(false),
    normalized: json.at('normalized').boolean(false),
    special: json.at('special').boolean(special),
  };
}

/** As tokenizer.json writes them. */
export function writeAddedTokens(tokens: readonly AddedToken[]): unknown[] {
  return tokens.map(({ singleWord, ...rest }) => ({ ...rest, single_word: singleWord }));
}
