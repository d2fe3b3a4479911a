// UnicodeScripts: cuts where the script changes. Kana and the long vowel mark count as Han, a space as any script; spaces
// before the first letter are dropped (all as in `tokenizers`).
import { unitsAt } from '../text.ts';
import type { Stage } from './stage.ts';

/** The scripts that `tokenizers` knows, by their codes in ISO 15924, the most common first. */
// prettier-ignore
const SCRIPTS = 'ZyyyLatnHaniHiraKanaCyrlArabHangGrekHebrDevaThaiZinhAdlmAhomHluwArmnAvstBaliBamuBassBatkBengBhksBopoBrahBraiBugiBuhdCansCariAghbCakmChamCherCoptXsuxCprtDsrtDuplEgypElbaEthiGeorGlagGothGranGujrGuruHanoHatrArmiPhliPrtiJavaKthiKndaKaliKharKhmrKhojSindLaooLepcLimbLinaLinbLisuLyciLydiMahjMlymMandManiMarcMteiMendMercMeroPlrdModiMongMrooMultMymrNbatTaluNewaNkooOgamOlckHungItalNarbPermXpeoSarbOrkhOryaOsgeOsmaHmngPalmPaucPhagPhnxPhlpRjngRunrSamrSaurShrdShawSiddSgnwSinhSoraSundSyloSyrcTglgTagbTaleLanaTavtTakrTamlTangTeluThaaTibtTfngTirhUgarVaiiWaraYiii';

export function unicodeScripts(): Stage[] {
  const scripts = SCRIPTS.match(/..../g)!.map((name) => ({ name, test: new RegExp(`\\p{Script=${name}}`, 'u') }));
  const known: (string | undefined)[] = [];
  const scriptOf = (point: number): string =>
    (known[point] ??= fixed(point, scripts.find(({ test }) => test.test(String.fromCodePoint(point)))?.name));
  return [{ cut: (text) => cutScripts(text, scriptOf) }];
}

/** A space and what belongs to no script of the table are of any script. */
function fixed(point: number, script = 'Any'): string {
  if (point === 0x20) return 'Any';
  return point === 0x30fc || script === 'Hira' || script === 'Kana' ? 'Hani' : script;
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
