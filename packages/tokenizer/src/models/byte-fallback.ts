// Byte fallback: a character outside the vocabulary becomes one token a byte of its UTF-8, written <0x0A>.
const encoder = new TextEncoder();

/** The ids of the byte tokens that spell the text, or nothing when the vocabulary lacks one of them. */
export function byteTokens(text: string, vocab: ReadonlyMap<string, number>): number[] | undefined {
  const ids: number[] = [];
  for (const byte of encoder.encode(text)) {
    const id = vocab.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    if (id === undefined) return undefined;
    ids.push(id);
  }
  return ids;
}
