// Tokens that are found in the text before the model sees it: special tokens and what users added. Of several that begin
// at one place the longest wins; `lstrip` and `rstrip` take the spaces around with them; `single_word` wants no letter beside.
import { isSpace, WORD } from './characters.ts';
import type { Json } from './json.ts';
import { unitsAt } from './text.ts';
import { Trie } from './trie.ts';

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly singleWord: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
  /** Never found in text, only decoded: the control symbols of SentencePiece. */
  readonly hidden?: boolean;
}

/** What most special tokens are like. */
export const SPECIAL: Omit<AddedToken, 'id' | 'content'> = {
  singleWord: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
};

/** Of two with the same text, the second says how it is found, and the first has the id. */
export function readAddedTokens(json: Json): AddedToken[] {
  const tokens = new Map<string, AddedToken>();
  for (const token of json.missing ? [] : json.list()) {
    const content = token.at('content').string();
    const special = token.at('special').boolean(false);
    const before = tokens.get(content);
    tokens.set(content, {
      id: before?.id ?? token.at('id').count(),
      content,
      singleWord: token.at('single_word').boolean(false),
      lstrip: token.at('lstrip').boolean(false),
      rstrip: token.at('rstrip').boolean(false),
      normalized: token.at('normalized').boolean(!special),
      special: special || before?.special === true,
    });
  }
  tokens.delete('');
  return [...tokens.values()];
}

const WORD_BEFORE = new RegExp(`${WORD.source}$`, 'u');
const WORD_AFTER = new RegExp(`^${WORD.source}`, 'u');

/** Finds a set of added tokens in texts. */
export class Matcher {
  readonly #trie = new Trie();
  readonly #texts = new Set<string>();
  readonly #tokens: AddedToken[] = [];
  readonly #lengths: number[] = [];
  /** Whether a token begins with a unit, by the last eight bits of it: most of a text is passed over so. */
  readonly #begins = new Uint8Array(256);

  /**
   * `text` is what to look for: the content, normalized when the text is. Of two tokens with one text the first counts. An empty
   * text stands between any two characters and parts them; it is a token only with the spaces that it takes along.
   */
  add(token: AddedToken, text: string): void {
    if (this.#texts.has(text)) return;
    this.#texts.add(text);
    this.#trie.add(text, this.#tokens.push(token) - 1);
    this.#lengths.push(text.length);
    if (text) this.#begins[text.charCodeAt(0) & 0xff] = 1;
    else this.#begins.fill(1);
  }

  /** Calls `visit` for every stretch of the text in order, with the added token it is or undefined. */
  cut(text: string, visit: (start: number, end: number, token: AddedToken | undefined) => void): void {
    const begins = this.#begins;
    let done = 0;
    for (let at = 0; at < text.length;) {
      const found = begins[text.charCodeAt(at) & 0xff] ? this.#longestAt(text, at) : -1;
      if (found < 0) {
        at++;
        continue;
      }
      const token = this.#tokens[found]!;
      let start = at;
      let end = at + this.#lengths[found]!;
      at = Math.max(end, at + unitsAt(text, at));
      if (token.singleWord && !standsAlone(text, start, end)) continue;
      if (token.lstrip) {
        while (start > done && isSpace(text.charCodeAt(start - 1))) start--;
        start = Math.max(start, done); // the token before may have taken it along
      }
      if (token.rstrip) while (end < text.length && isSpace(text.charCodeAt(end))) end++;
      if (done < start) visit(done, start, undefined);
      if (start < end) visit(start, end, token);
      done = end;
    }
    if (done < text.length) visit(done, text.length, undefined);
  }

  #longestAt(text: string, at: number): number {
    let longest = this.#trie.idAt(0);
    for (let node = 0, i = at; i < text.length; i++) {
      node = this.#trie.step(node, text.charCodeAt(i));
      if (node < 0) break;
      if (this.#trie.idAt(node) >= 0) longest = this.#trie.idAt(node);
    }
    return longest;
  }
}

function standsAlone(text: string, start: number, end: number): boolean {
  return !WORD_BEFORE.test(text.slice(Math.max(0, start - 2), start)) && !WORD_AFTER.test(text.slice(end, end + 2));
}
