// Regular expressions of tokenizer.json are written for Oniguruma (Ruby's syntax, Unicode classes). This rewrites them for
// JavaScript with the flags g and v: classes get their Unicode meaning, possessive and atomic parts become a lookahead and a
// back reference, and letters under (?i) become classes. What JavaScript can't say is refused by name.
/** Throws an Error when the expression is wrong or can't be said in JavaScript. */
export function compile(source: string): RegExp {
  return new RegExp(new Translator(source).translate(), 'gv');
}

const WORD = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}`;
/** Outside of a class, Oniguruma counts the superscripts and fractions of Latin-1 as well. */
const LONE_WORD = WORD + String.raw`\xb2\xb3\xb9\xbc-\xbe`;

/** What goes inside a class for the escapes and POSIX names that JavaScript lacks or means differently. */
const CLASSES: Readonly<Record<string, string>> = {
  d: String.raw`\p{Nd}`,
  h: '0-9a-fA-F',
  s: String.raw`\p{White_Space}`,
  w: WORD,
  alnum: String.raw`\p{Alphabetic}\p{Nd}`,
  alpha: String.raw`\p{Alphabetic}`,
  ascii: String.raw`\x00-\x7f`,
  blank: String.raw`\p{Zs}\t`,
  cntrl: String.raw`\p{Cc}`,
  digit: String.raw`\p{Nd}`,
  graph: String.raw`[^\p{White_Space}\p{Cc}\p{Cn}\p{Cs}]`,
  lower: String.raw`\p{Lowercase}`,
  print: String.raw`[[^\p{Cc}\p{Cn}\p{Cs}]--[\u2028\u2029]]`,
  punct: String.raw`\p{P}\p{S}`,
  space: String.raw`\p{White_Space}`,
  upper: String.raw`\p{Uppercase}`,
  word: WORD,
  xdigit: '0-9a-fA-F',
};

/** Escapes outside of classes that stand for more than a character. */
const ANCHORS: Readonly<Record<string, string>> = {
  A: '(?<![^])',
  b: `(?:(?<=[${LONE_WORD}])(?![${LONE_WORD}])|(?<![${LONE_WORD}])(?=[${LONE_WORD}]))`,
  B: `(?:(?<=[${LONE_WORD}])(?=[${LONE_WORD}])|(?<![${LONE_WORD}])(?![${LONE_WORD}]))`,
  N: String.raw`[^\n]`,
  O: '[^]',
  R: String.raw`(?:\r\n|[\n\v\f\r\x85\u2028\u2029])`,
  z: '(?![^])',
  Z: String.raw`(?=\n?(?![^]))`,
};

const CONTROLS: Readonly<Record<string, string>> = {
  t: '\t',
  n: '\n',
  r: '\r',
  f: '\f',
  v: '\v',
  a: '\x07',
  e: '\x1b',
};

class Translator {
  readonly #source: string;
  #at = 0;
  #groups = 0;
  #atomics = 0;

  constructor(source: string) {
    this.#source = source;
  }

  translate(): string {
    const result = this.#alternatives({ ignoreCase: false, dotAll: false, extended: false });
    if (this.#at < this.#source.length) throw new Error(`has a ) without a ( at ${this.#at}`);
    return result;
  }

  /** Everything up to the end of the group. Flags set inside, as in `a(?i)b`, hold to its end. */
  #alternatives(outer: Flags): string {
    const flags = { ...outer };
    let result = '';
    while (this.#at < this.#source.length && this.#source[this.#at] !== ')') {
      if (this.#take('|')) result += '|';
      else result += this.#quantified(this.#atom(flags));
    }
    return result;
  }

  #quantified(first: string): string {
    let atom = first;
    for (;;) {
      const quantifier = this.#match(/[*+?]|\{\d*,?\d*\}/y);
      if (!quantifier || /^\{,?\}$/.test(quantifier)) {
        if (quantifier) this.#at -= quantifier.length;
        return atom;
      }
      const range = quantifier.replace('{,', '{0,');
      if (this.#take('?')) atom = `${atom}${range}?`;
      else if (range.length === 1 && this.#take('+')) atom = this.#atomic(atom + range);
      else atom += range;
      atom = `(?:${atom})`;
      if (!/[*+?{]/.test(this.#source[this.#at] ?? '')) return atom;
    }
  }

  #atomic(inner: string): string {
    const name = `atomic${this.#atomics++}`;
    return `(?=(?<${name}>${inner}))\\k<${name}>`;
  }

  #atom(flags: Flags): string {
    const source = this.#source;
    const character = String.fromCodePoint(source.codePointAt(this.#at)!);
    this.#at += character.length;
    switch (character) {
      case '(':
        return this.#group(flags);
      case '[':
        return this.#class(flags);
      case '.':
        return flags.dotAll ? '[^]' : String.raw`[^\n]`;
      case '^':
        return String.raw`(?<![^\n])`;
      case '$':
        return String.raw`(?![^\n])`;
      case '\\':
        return this.#escape(flags);
      case '#':
        if (!flags.extended) break;
        this.#match(/[^\n]*/y);
        return '';
      default:
        if (flags.extended && /\s/.test(character)) return '';
    }
    return one(character, flags);
  }

  #group(flags: Flags): string {
    let open = '(?:';
    let inner = flags;
    if (!this.#take('?')) {
      open = `(?<group${++this.#groups}>`;
    } else if (this.#take('#')) {
      this.#match(/[^)]*/y);
      this.#close();
      return '';
    } else if (this.#take('>')) {
      return this.#atomic(this.#inside(flags));
    } else {
      const known = this.#match(/:|=|!|<=|<!|<[A-Za-z_]\w*>/y);
      if (known) {
        open = `(?${known}`;
      } else {
        const options = this.#match(/[imx]*(?:-[imx]*)?(?=[:)])/y);
        if (!options) throw new Error(`has a group of an unknown kind at ${this.#at}: (?${this.#source[this.#at]}`);
        const [on, off = ''] = options.split('-');
        inner = {
          ignoreCase: (flags.ignoreCase || on!.includes('i')) && !off.includes('i'),
          dotAll: (flags.dotAll || on!.includes('m')) && !off.includes('m'),
          extended: (flags.extended || on!.includes('x')) && !off.includes('x'),
        };
        if (this.#take(')')) {
          Object.assign(flags, inner);
          return '';
        }
        this.#take(':');
      }
    }
    return `${open}${this.#inside(inner)})`;
  }

  #inside(flags: Flags): string {
    const inner = this.#alternatives(flags);
    this.#close();
    return inner;
  }

  #close(): void {
    if (!this.#take(')')) throw new Error('has a ( without a )');
  }

  #escape(flags: Flags): string {
    const word = this.#match(/[wW]/y);
    if (word) return word === 'w' ? `[${LONE_WORD}]` : `[^${LONE_WORD}]`;
    const inClass = this.#classEscape(flags);
    if (inClass !== undefined) return `[${inClass}]`;
    const reference = this.#match(/[1-9]\d*/y);
    if (reference) return `\\k<group${reference}>`;
    const named = this.#match(/k<[A-Za-z_]\w*>/y);
    if (named) return `\\${named}`;
    const letter = this.#source[this.#at++] ?? '';
    if (Object.hasOwn(ANCHORS, letter)) return ANCHORS[letter]!;
    this.#at--;
    return one(this.#character(), flags);
  }

  /** After a backslash: what a class escape such as \d or \p{L} puts inside a class, if there is one. */
  #classEscape(flags: Flags): string | undefined {
    const letter = this.#match(/[dDhHsSwW]/y);
    if (letter) {
      const inside = CLASSES[letter.toLowerCase()]!;
      return letter < 'a' ? `[^${inside}]` : inside;
    }
    const property = this.#match(/[pP]\{\^?[^}]*\}/y);
    if (!property) return undefined;
    const name = property.slice(2, -1).replace(/^\^/, '');
    const negated = (property[0] === 'P') !== property.startsWith('{^', 1);
    const posix = CLASSES[name.length > 1 ? name.toLowerCase() : ''];
    let inside = posix ?? this.#property(name);
    if (flags.ignoreCase && /^\\p\{(Lu|Ll|Lt)\}$/.test(inside)) inside = String.raw`\p{Lu}\p{Ll}\p{Lt}`;
    return negated ? `[^${inside}]` : inside;
  }

  #property(name: string): string {
    for (const inside of [`\\p{${name}}`, `\\p{Script=${name}}`, `\\p{${name.replaceAll(' ', '_')}}`]) {
      try {
        new RegExp(inside, 'v');
        return inside;
      } catch {
        continue;
      }
    }
    throw new Error(`names the character property ${name}, which JavaScript doesn't know`);
  }

  /** After a backslash: the single character it stands for. */
  #character(): string {
    const code = this.#match(/x\{[\da-fA-F]+\}|x[\da-fA-F]{1,2}|u[\da-fA-F]{4}/y);
    if (code) return String.fromCodePoint(parseInt(code.replace(/[xu{}]/g, ''), 16));
    const octal = this.#match(/0[0-7]{0,2}/y);
    if (octal) return String.fromCodePoint(parseInt(octal, 8));
    const point = this.#source.codePointAt(this.#at);
    if (point === undefined) throw new Error('ends with a backslash');
    const character = String.fromCodePoint(point);
    this.#at += character.length;
    if (Object.hasOwn(CONTROLS, character)) return CONTROLS[character]!;
    if (/[A-Za-z]/.test(character)) throw new Error(`has the escape \\${character}, which JavaScript can't express`);
    return character;
  }

  /** After the opening bracket. */
  #class(flags: Flags): string {
    const open = this.#take('^') ? '[^' : '[';
    const operands = [''];
    for (let first = true; first || this.#source[this.#at] !== ']'; first = false) {
      if (this.#at >= this.#source.length) throw new Error('has a [ without a ]');
      if (this.#take('&&')) operands.push('');
      else operands[operands.length - 1] += this.#member(flags);
    }
    this.#at++;
    const inside = operands.length === 1 ? operands[0] : operands.map((operand) => `[${operand}]`).join('&&');
    return `${open}${inside}]`;
  }

  #member(flags: Flags): string {
    const posix = this.#match(/\[:\^?\w+:\]/y);
    if (posix) {
      const name = posix.replace(/\W/g, '');
      if (!Object.hasOwn(CLASSES, name) || name.length < 2) throw new Error(`has the unknown class ${posix}`);
      return posix[2] === '^' ? `[^${CLASSES[name]}]` : CLASSES[name]!;
    }
    if (this.#take('[')) return this.#class(flags);
    const first = this.#memberCharacter(flags);
    if (first.length > 2 || (first.length === 2 && first.codePointAt(0)! < 0x10000)) return first;
    if (!/^-[^\]]/.test(this.#source.slice(this.#at, this.#at + 2))) return member(first, first, flags);
    this.#at++;
    const last = this.#memberCharacter(flags);
    return [...last].length === 1
      ? member(first, last, flags)
      : member(first, first, flags) + member('-', '-', flags) + last;
  }

  /** One character of a class, or the inside of a class escape, which is longer. */
  #memberCharacter(flags: Flags): string {
    const character = String.fromCodePoint(this.#source.codePointAt(this.#at)!);
    this.#at += character.length;
    if (character !== '\\') return character;
    if (this.#take('b')) return '\b';
    return this.#classEscape(flags) ?? this.#character();
  }

  #take(text: string): boolean {
    const found = this.#source.startsWith(text, this.#at);
    if (found) this.#at += text.length;
    return found;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }
}

interface Flags {
  ignoreCase: boolean;
  dotAll: boolean;
  extended: boolean;
}

function one(character: string, flags: Flags): string {
  const variants = flags.ignoreCase ? [...new Set(cases(character))] : [character];
  return variants.length > 1 ? `[${variants.map(quoted).join('')}]` : quoted(character);
}

/** The characters that mean the same without regard to case. */
function cases(character: string): string[] {
  const extra: Record<string, string> = { s: 'ſ', S: 'ſ', k: '\u212a', K: '\u212a' };
  return [character, character.toLowerCase(), character.toUpperCase(), extra[character] ?? character].filter(
    (variant) => [...variant].length === 1,
  );
}

/** A range inside a class. Under (?i) its ASCII letters come in both cases. */
function member(first: string, last: string, flags: Flags): string {
  const range = first === last ? quoted(first) : `${quoted(first)}-${quoted(last)}`;
  if (!flags.ignoreCase) return range;
  if (first === last) return [...new Set(cases(first))].map(quoted).join('');
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz').filter(
    (letter) => within(letter, first, last) || within(letter.toUpperCase(), first, last),
  );
  return range + letters.map((letter) => letter + letter.toUpperCase()).join('');
}

function within(character: string, first: string, last: string): boolean {
  const point = character.codePointAt(0)!;
  return point >= first.codePointAt(0)! && point <= last.codePointAt(0)!;
}

/** As a code point escape, except for what is safe everywhere. */
function quoted(character: string): string {
  return /[A-Za-z0-9 '"_]/.test(character) ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
