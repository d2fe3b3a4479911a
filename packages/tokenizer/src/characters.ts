// Classes of characters as Rust and Unicode define them, where JavaScript's own differ: White_Space has U+0085 and lacks
// U+FEFF; a word character is any letter, mark, digit, connector or joiner.

const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** Whether a UTF-16 unit is white space (no surrogate is). */
export function isSpace(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 9 && unit <= 13);
  return (
    unit === 0x85 ||
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}

export function isWordCharacter(character: string): boolean {
  return WORD.test(character);
}

/** The character that ends before `index`, or nothing at the start. */
export function characterBefore(text: string, index: number): string {
  const low = text.charCodeAt(index - 1);
  return text.slice(low >= 0xdc00 && low <= 0xdfff ? index - 2 : Math.max(0, index - 1), index);
}
