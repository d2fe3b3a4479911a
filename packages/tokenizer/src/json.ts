// One value of a JSON file together with the path that leads to it. Everything read from outside goes through here, so
// that a wrong value is refused with its place: `tokenizer.json: decoder.decoders[1].type: …`.
import { TokenizerError } from './errors.ts';

/** Nesting beyond this is no tokenizer but an attack (or an object that contains itself). */
const MAX_DEPTH = 32;

/** What makes each kind of a part, by its `type`. What few files have is loaded when a file has it. */
export type Parts<T> = Readonly<Record<string, (json: Json) => T | Promise<T>>>;

export class Json {
  readonly value: unknown;
  readonly path: string;
  readonly #file: string;
  readonly #depth: number;

  constructor(value: unknown, file: string, path = '', depth = 0) {
    this.value = value;
    this.path = path;
    this.#file = file;
    this.#depth = depth;
    if (depth > MAX_DEPTH) this.fail(`is nested too deep: ${depth} levels; at most ${MAX_DEPTH} are read`);
  }

  /** `json` is text, or parsed already. */
  static parse(json: unknown, file: string): Json {
    if (typeof json !== 'string') return new Json(json, file);
    try {
      return new Json(JSON.parse(json), file);
    } catch (error) {
      throw new TokenizerError(`${file}: is no JSON: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Throws, naming the file and the path; `path` points further inside this value. */
  fail(problem: string, path = ''): never {
    const place = this.path + path;
    throw new TokenizerError(`${this.#file}: ${place ? `${place}: ` : ''}${problem}`);
  }

  /** Whether the value is absent or null. */
  get missing(): boolean {
    return this.value === undefined || this.value === null;
  }

  at(key: string): Json {
    const object = this.object();
    const value = Object.hasOwn(object, key) ? object[key] : undefined;
    return new Json(value, this.#file, this.path ? `${this.path}.${key}` : key, this.#depth + 1);
  }

  object(): Record<string, unknown> {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.#expected('an object');
    return value as Record<string, unknown>;
  }

  array(): readonly unknown[] {
    return Array.isArray(this.value) ? (this.value as unknown[]) : this.#expected('an array');
  }

  list(): Json[] {
    return Array.from(this.array(), (value, i) => new Json(value, this.#file, `${this.path}[${i}]`, this.#depth + 1));
  }

  string(fallback?: string): string {
    if (this.missing && fallback !== undefined) return fallback;
    return typeof this.value === 'string' ? this.value : this.#expected('a string');
  }

  boolean(fallback?: boolean): boolean {
    if (this.missing && fallback !== undefined) return fallback;
    return typeof this.value === 'boolean' ? this.value : this.#expected('true or false');
  }

  /** A whole number from 0 to 2³¹ − 1: an id, a count or a length. */
  count(fallback?: number): number {
    if (this.missing && fallback !== undefined) return fallback;
    return isCount(this.value) ? this.value : this.#expected('a whole number from 0 to 2147483647');
  }

  /** One of a few words. */
  oneOf<const T extends string>(words: readonly T[], fallback?: T): T {
    const word = this.string(fallback);
    return words.find((each) => each === word) ?? this.fail(`is ${show(word)}; known are ${words.join(', ')}`);
  }

  /** Looks the value's `type` up in a table of everything this package can do, and builds it. */
  async build<T>(table: Parts<T>, fallback?: string): Promise<T> {
    const make = table[this.at('type').oneOf(Object.keys(table), fallback)];
    return make!(this);
  }

  /** The results of all entries of a list in one. */
  async each<T>(read: (json: Json) => Promise<readonly T[]>): Promise<T[]> {
    return (await Promise.all(this.list().map(read))).flat();
  }

  #expected(what: string): never {
    return this.fail(
      this.value === undefined ? `is missing; it must be ${what}` : `is ${show(this.value)}; it must be ${what}`,
    );
  }
}

export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
}

/** A value for an error message: as JSON, but short. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
