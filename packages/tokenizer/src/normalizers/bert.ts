// BertNormalizer: clean-up of control characters and spaces, spaces around Chinese characters, accents, case.
import { classes } from '../characters.ts';
import type { Json } from '../json.ts';
import { fromUnits, unitsAt, type Edit } from '../text.ts';
import { normalForm } from './normal-form.ts';
import { lowercase, remove, spaces } from './unicode.ts';

/** CJK ideographs, with the gap at U+2B820 that `tokenizers` has. */
const CHINESE =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/u;
const CONTROL = /[^\P{Cc}\t\n\r]|[\p{Cf}\p{Co}\ufffd]/gu;

export function bertNormalizer(json: Json): Edit[] {
  const lower = json.at('lowercase').boolean();
  const edits: Edit[] = [];
  if (json.at('clean_text').boolean()) edits.push(remove(CONTROL), spaces(/\p{White_Space}/gu));
  if (json.at('handle_chinese_chars').boolean()) edits.push(spaceChinese());
  if (json.at('strip_accents').boolean(lower)) edits.push(normalForm('NFD'), remove(/\p{Mn}/gu));
  if (lower) edits.push(lowercase);
  return edits;
}

/** A space on both sides of each. */
function spaceChinese(): Edit {
  const isChinese = classes(CHINESE);
  return {
    rewrite(text, put) {
      let at = 0;
      for (const character of text) {
        put(isChinese(text, at) ? ` ${character} ` : character, at);
        at += character.length;
      }
    },
    // Texts of Chinese are mostly spaces then: units in an array make them several times as fast as joined strings.
    plain(text) {
      if (text.search(CHINESE) < 0) return text;
      const units = new Uint16Array(3 * text.length);
      let used = 0;
      for (let i = 0; i < text.length;) {
        const spaced = isChinese(text, i);
        if (spaced) units[used++] = SPACE;
        for (const end = i + unitsAt(text, i); i < end; i++) units[used++] = text.charCodeAt(i);
        if (spaced) units[used++] = SPACE;
      }
      return fromUnits(units.subarray(0, used));
    },
  };
}

const SPACE = 0x20;
