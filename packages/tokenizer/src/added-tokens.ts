// Tokens that are found in the text before the model sees it: special tokens and what users added. Of several that begin
// at one place the longest wins; `lstrip` and `rstrip` take the spaces around with them; `single_word` wants no letter beside.
import { characterBefore, isSpace, isWordCharacter } from './characters.ts';
import type { Json } from './json.ts';
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

export function readAddedTokens(json: Json): AddedToken[] {
  if (json.missing) return [];
  return json.list().map((token) => {
    const special = token.at('special').boolean(false);
    return {
      id: token.at('id').count(),
      content: token.at('content').string(),
      singleWord: token.at('single_word').boolean(false),
      lstrip: token.at('lstrip').boolean(false),
      rstrip: token.at('rstrip').boolean(false),
      normalized: token.at('normalized').boolean(!special),
      special,
    };
  });
}

/** Finds a set of added tokens in texts. */
export class Matcher {
  readonly #trie = new Trie();
  readonly #texts = new Set<string>();
  readonly #tokens: { token: AddedToken; text: string }[] = [];

  /** `text` is what to look for: the content, normalized when the text is. Of two tokens with one text the first counts. */
  add(token: AddedToken, text: string): void {
    if (text && !this.#texts.has(text)) this.#trie.add(text, this.#tokens.push({ token, text }) - 1);
    this.#texts.add(text);
  }

  /** Calls `visit` for every stretch of the text in order, with the added token it is or undefined. */
  cut(text: string, visit: (start: number, end: number, token: AddedToken | undefined) => void): void {
    let done = 0;
    if (this.#tokens.length > 0) {
      for (let at = 0; at < text.length;) {
        const found = this.#longestAt(text, at);
        if (!found) {
          at++;
          continue;
        }
        const { token } = found;
        let start = at;
        let end = at + found.text.length;
        at = end;
        if (token.singleWord && !standsAlone(text, start, end)) continue;
        if (token.lstrip) while (start > done && isSpace(text.charCodeAt(start - 1))) start--;
        if (token.rstrip) while (end < text.length && isSpace(text.charCodeAt(end))) end++;
        if (done < start) visit(done, start, undefined);
        visit(start, end, token);
        done = end;
      }
    }
    if (done < text.length) visit(done, text.length, undefined);
  }

  #longestAt(text: string, at: number): { token: AddedToken; text: string } | undefined {
    let longest = -1;
    for (let node = 0, i = at; i < text.length; i++) {
      node = this.#trie.step(node, text.charCodeAt(i));
      if (node < 0) break;
      if (this.#trie.idAt(node) >= 0) longest = this.#trie.idAt(node);
    }
    return this.#tokens[longest];
  }
}

function standsAlone(text: string, start: number, end: number): boolean {
  const after = end < text.length ? String.fromCodePoint(text.codePointAt(end)!) : '';
  return !isWordCharacter(characterBefore(text, start)) && !isWordCharacter(after);
}
