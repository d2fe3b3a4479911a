// The wire format of protocol buffers, as far as SentencePiece files use it: fields of a number and a kind, one after the
// other. Nothing is believed: every length is checked against the bytes that are there.
import { TokenizerError } from '../errors.ts';

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** One field of a message. Its getters throw when the field is of another kind. */
export class Field {
  readonly number: number;
  readonly #kind: number;
  readonly #value: number | Uint8Array;
  readonly #path: string;

  constructor(number: number, kind: number, value: number | Uint8Array, path: string) {
    this.number = number;
    this.#kind = kind;
    this.#value = value;
    this.#path = path;
  }

  fail(problem: string): never {
    throw new TokenizerError(`${this.#path}: ${problem}`);
  }

  /** Named in messages, which otherwise have only the field's number. */
  named(name: string): Field {
    return new Field(this.number, this.#kind, this.#value, this.#path.replace(/field \d+$/, name));
  }

  bytes(): Uint8Array {
    return typeof this.#value === 'object' ? this.#value : this.#expected('bytes with a length');
  }

  string(): string {
    try {
      return text.decode(this.bytes());
    } catch (error) {
      if (error instanceof TokenizerError) throw error;
      return this.fail('is no valid UTF-8');
    }
  }

  /** A whole number of 32 bits, with its sign. */
  integer(): number {
    return typeof this.#value === 'number' && this.#kind === 0 ? this.#value : this.#expected('a whole number');
  }

  boolean(): boolean {
    return this.integer() !== 0;
  }

  float(): number {
    if (typeof this.#value !== 'number' || this.#kind !== 5) return this.#expected('a number of 32 bits');
    return new Float32Array(Uint32Array.of(this.#value).buffer)[0]!;
  }

  message(): Generator<Field> {
    return fields(this.bytes(), this.#path);
  }

  #expected(what: string): never {
    return this.fail(`is of kind ${this.#kind}; it must be ${what}`);
  }
}

/** The fields of a message in order, unknown ones too. */
export function* fields(bytes: Uint8Array, path: string): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const fail = (problem: string): never => {
    throw new TokenizerError(`${path}: ${problem} at byte ${at} of ${bytes.length}`);
  };
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = bytes[at++] ?? fail('the file is cut off');
      if (i < 5) value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    return fail('a number is longer than 64 bits');
  };
  const skip = (length: number): number => {
    if (length < 0 || length > bytes.length - at) fail(`a length of ${length >>> 0} runs past the end`);
    at += length;
    return at - length;
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = tag >>> 3;
    const kind = tag & 7;
    if (number === 0) fail('a field has the number 0');
    const place = `${path}: field ${number}`;
    switch (kind) {
      case 0:
        yield new Field(number, kind, varint(), place);
        break;
      case 1:
        yield new Field(number, kind, bytes.subarray(skip(8), at), place);
        break;
      case 2: {
        const start = skip(varint());
        yield new Field(number, kind, bytes.subarray(start, at), place);
        break;
      }
      case 5:
        yield new Field(number, kind, view.getUint32(skip(4), true), place);
        break;
      default:
        fail(`field ${number} is of the unknown kind ${kind}`);
    }
  }
}
