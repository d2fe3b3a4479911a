// Extended grapheme clusters (UAX 29): what a reader takes for one character. Most text needs no segmenter for them: two
// neighbours from well-known blocks never join, so only the stretches around other characters are looked at closely.

/** Characters that never join a neighbour of the same kind: Latin, Greek, Cyrillic, punctuation, kana, Han. */
const ALONE = String.raw`\t\u0020-\u007e\u00a1-\u00ac\u00b0-\u02ff\u0370-\u0482\u048a-\u0590\u2010-\u2027\u3000-\u3029\u3041-\u3096\u30a0-\u30ff\u3400-\u9fff`;
const STRETCH = new RegExp(`[${ALONE}]?(?:[^${ALONE}]+[${ALONE}]?)+`, 'gu');

let segmenter: Intl.Segmenter | undefined;

/** Calls `visit` with the first and past-the-end unit of every cluster, in order. */
export function eachGrapheme(text: string, visit: (start: number, end: number) => void): void {
  let at = 0;
  for (const { 0: stretch, index } of text.matchAll(STRETCH)) {
    for (; at < index; at++) visit(at, at + 1);
    segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
    for (const { segment } of segmenter.segment(stretch)) {
      visit(at, at + segment.length);
      at += segment.length;
    }
  }
  for (; at < text.length; at++) visit(at, at + 1);
}
