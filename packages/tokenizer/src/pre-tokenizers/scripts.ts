// UnicodeScripts: cuts where the script changes. Kana and the long vowel mark count as Han, a space as any script; spaces
// before the first letter are dropped (all as in `tokenizers`).
import { unitsAt } from '../text.ts';
import type { Stage } from './stage.ts';

// prettier-ignore
const SCRIPTS = 'Common Latin Han Hiragana Katakana Cyrillic Arabic Hangul Greek Hebrew Devanagari Thai Inherited Adlam Ahom Anatolian_Hieroglyphs Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Coptic Cuneiform Cypriot Deseret Duployan Egyptian_Hieroglyphs Elbasan Ethiopic Georgian Glagolitic Gothic Grantha Gujarati Gurmukhi Hanunoo Hatran Imperial_Aramaic Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Kayah_Li Kharoshthi Khmer Khojki Khudawadi Lao Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Malayalam Mandaic Manichaean Marchen Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean New_Tai_Lue Newa Nko Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_South_Arabian Old_Turkic Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sora_Sompeng Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Ugaritic Vai Warang_Citi Yi';

export function unicodeScripts(): Stage[] {
  const scripts = SCRIPTS.split(' ').map((name) => ({ name, test: new RegExp(`\\p{Script=${name}}`, 'u') }));
  const known: (string | undefined)[] = [];
  const scriptOf = (point: number): string =>
    (known[point] ??= fixed(point, scripts.find(({ test }) => test.test(String.fromCodePoint(point)))?.name));
  return [{ cut: (text) => cutScripts(text, scriptOf) }];
}

/** A space and what belongs to no script of the table are of any script. */
function fixed(point: number, script = 'Any'): string {
  if (point === 0x20) return 'Any';
  return point === 0x30fc || script === 'Hiragana' || script === 'Katakana' ? 'Han' : script;
}

function cutScripts(text: string, scriptOf: (point: number) => string): number[] {
  const cuts: number[] = [];
  let last = '';
  for (let i = 0; i < text.length; i += unitsAt(text, i)) {
    const script = scriptOf(text.codePointAt(i)!);
    if (script === 'Any') continue;
    if (script !== last) {
      if (last) cuts.push(i);
      cuts.push(i);
    }
    last = script;
  }
  if (last) cuts.push(text.length);
  return cuts;
}
