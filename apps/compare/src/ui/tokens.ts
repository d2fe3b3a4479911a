// Pieces of a vocabulary as people read them.

export interface TokenLabel {
  readonly text: string;
  /** Does it go on with the word before it? */
  readonly continues: boolean;
}

/** SentencePiece marks the beginning of a word with ▁; what is marked here is what goes on. */
export function tokenLabels(tokens: readonly string[]): TokenLabel[] {
  const marked = tokens.some((token) => token.startsWith('▁'));
  return tokens.map((token) => {
    const begins = token.startsWith('▁') && token.length > 1;
    return { text: begins ? token.slice(1) : token, continues: marked && !begins && /^[\p{L}\p{N}]/u.test(token) };
  });
}
