// BertNormalizer: clean-up of control characters and spaces, spaces around Chinese characters, accents, case.
import type { Json } from '../json.ts';
import type { Edit } from '../text.ts';
import { normalForm } from './normal-form.ts';
import { lowercase, remove, spaces } from './unicode.ts';

/** CJK ideographs, with the gap at U+2B820 that `tokenizers` has. */
const CHINESE =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;
const CONTROL = /[^\P{Cc}\t\n\r]|[\p{Cf}\p{Co}\ufffd]/gu;

export function bertNormalizer(json: Json): Edit[] {
  const lower = json.at('lowercase').boolean();
  const edits: Edit[] = [];
  if (json.at('clean_text').boolean()) edits.push(remove(CONTROL), spaces(/\p{White_Space}/gu));
  if (json.at('handle_chinese_chars').boolean()) edits.push(spaceChinese);
  if (json.at('strip_accents').boolean(lower)) edits.push(normalForm('NFD'), remove(/\p{Mn}/gu));
  if (lower) edits.push(lowercase);
  return edits;
}

const spaceChinese: Edit = {
  rewrite(text, put) {
    let at = 0;
    for (const character of text) {
      const chinese = CHINESE.test(character);
      CHINESE.lastIndex = 0;
      put(chinese ? ` ${character} ` : character, at);
      at += character.length;
    }
  },
  plain: (text) => text.replace(CHINESE, ' $& '),
};
