// The metadata of a GGUF file: typed values by key. Every key is read through here, so that a wrong one is named.
import { CheckpointError, quoted } from '../errors.ts';

export type NumberArray =
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

export type MetadataValue = string | number | bigint | boolean | NumberArray | readonly MetadataValue[];

export class Metadata {
  readonly #values: ReadonlyMap<string, MetadataValue>;
  readonly #file: string;

  constructor(values: ReadonlyMap<string, MetadataValue>, file: string) {
    this.#values = values;
    this.#file = file;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  get(key: string): MetadataValue | undefined {
    return this.#values.get(key);
  }

  fail(key: string, problem: string, right: string): never {
    throw new CheckpointError(`gguf: ${this.#file}: ${quoted(key)}: ${problem}; expected ${right}`);
  }

  /** A whole number from 0 on. */
  count(key: string, fallback?: number): number {
    return this.#read(key, 'a whole number from 0 on', fallback, isCount);
  }

  /** A whole number that all layers share: some files give it for each. */
  shared(key: string, fallback?: number): number {
    const value = this.#values.get(key);
    if (!isNumbers(value)) return this.count(key, fallback);
    const [first] = value;
    if (first === undefined || !isCount(first) || value.some((each: number) => each !== first))
      this.fail(key, 'it differs between layers, which is not supported', 'one number for all');
    return first!;
  }

  number(key: string, fallback?: number): number {
    const finite = (v: MetadataValue): v is number => typeof v === 'number' && Number.isFinite(v);
    return rounded(this.#read(key, 'a number', fallback, finite));
  }

  flag(key: string, fallback?: boolean): boolean {
    return this.#read(key, 'true or false', fallback, (v) => typeof v === 'boolean');
  }

  text(key: string, fallback?: string): string {
    return this.#read(key, 'a string', fallback, (v) => typeof v === 'string');
  }

  texts(key: string): readonly string[] {
    return this.#read(key, 'a list of strings', undefined, isTexts);
  }

  numbers(key: string): NumberArray {
    return this.#read(key, 'a list of numbers', undefined, isNumbers);
  }

  #read<T extends MetadataValue>(
    key: string,
    what: string,
    fallback: T | undefined,
    fits: (value: MetadataValue) => value is T,
  ): T {
    const value = this.#values.get(key);
    if (value === undefined) return fallback ?? this.fail(key, 'it is missing', what);
    return fits(value) ? value : this.fail(key, `it is ${show(value)}`, what);
  }
}

const isCount = (value: MetadataValue): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumbers = (value: MetadataValue | undefined): value is NumberArray => ArrayBuffer.isView(value);
const isTexts = (value: MetadataValue): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

/** A number that was rounded to f32 when it was stored, as the shortest decimal that rounds to it: 1e-5, not 9.99999974e-6. */
function rounded(value: number): number {
  if (Math.fround(value) !== value || Number.isInteger(value)) return value;
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

function show(value: MetadataValue): string {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return `a list of ${(value as { length: number }).length}`;
  return typeof value === 'string' ? quoted(value) : String(value);
}
