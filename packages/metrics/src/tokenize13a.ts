// The 13a tokenisation of mteval-v13a, as sacrebleu has it: the one that BLEU scores are compared under.
// https://github.com/mjpost/sacrebleu

/** What Python counts as white space. JavaScript's `\s` has the byte order mark more, and some control characters less. */
const space = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;
const trailingSpace = new RegExp(`${space.source}$`, 'u');

/** Parts of a text between white space, none of them empty. */
export const words = (text: string): string[] => text.split(space).filter((word) => word !== '');

/** The tokens of one line. */
export function tokenize13a(line: string): string[] {
  let text = line.replace(trailingSpace, '').replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  // One after the other, so `&amp;lt;` becomes `<`.
  text = text.replaceAll('&quot;', '"').replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>');
  text = ` ${text} `
    .replace(/([{-~[-` -&(-+:-@/])/gu, ' $1 ')
    // Periods and commas stay inside numbers; a dash goes from the digit before it.
    .replace(/([^0-9])([.,])/gu, '$1 $2 ')
    .replace(/([.,])([^0-9])/gu, ' $1 $2')
    .replace(/([0-9])(-)/gu, '$1 $2 ');
  return words(text);
}
