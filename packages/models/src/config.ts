// Reading a config.json. Every key is read through here, so that a wrong one is named, with what would be right.
import type { Activation } from '@transept/tensor';

export type Json = Readonly<Record<string, unknown>>;

/** A config.json, or another of a model's files, cannot be used. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Typed access to the keys of a configuration. */
export class ConfigReader {
  readonly #json: Json;
  readonly #file: string;

  constructor(json: Json, file = 'config.json') {
    this.#json = json;
    this.#file = file;
  }

  has(key: string): boolean {
    return this.#json[key] !== undefined && this.#json[key] !== null;
  }

  /** Is it there as null, which often means something else than being absent? */
  isNull(key: string): boolean {
    return this.#json[key] === null;
  }

  /** The first of several names of one option that is there; the first of all if none is. */
  first(...keys: readonly [string, ...string[]]): string {
    return keys.find((key) => this.has(key)) ?? keys[0];
  }

  /** The configuration under a key, if there is one. */
  inner(key: string): ConfigReader | undefined {
    if (!this.has(key)) return undefined;
    const json = this.#read(key, 'an object', undefined, isObject);
    return new ConfigReader(json, `${this.#file}: "${key}"`);
  }

  /** The keys that are there. */
  get keys(): readonly string[] {
    return Object.keys(this.#json);
  }

  /** A whole number from 1 on, or undefined where null says that there is none. */
  sizeOrNone(key: string, fallback?: number): number | undefined {
    return this.isNull(key) || (fallback === undefined && !this.has(key)) ? undefined : this.size(key, fallback);
  }

  /** A number, or undefined where null says that there is none. */
  numberOrNone(key: string, fallback?: number): number | undefined {
    return this.isNull(key) || (fallback === undefined && !this.has(key)) ? undefined : this.number(key, fallback);
  }

  /** A list of numbers. */
  numbers(key: string): readonly number[] {
    return this.#read(
      key,
      'a list of numbers',
      undefined,
      (v): v is number[] => Array.isArray(v) && v.every(Number.isFinite),
    );
  }

  isObject(key: string): boolean {
    return isObject(this.#json[key]);
  }

  isList(key: string): boolean {
    return Array.isArray(this.#json[key]);
  }

  /**
   * A whole number from 1 on. Tables are made and layers built by sizes before any file shows that they are true, so they have
   * bounds: 500 layers, experts or groups, 16 million tokens or positions, a million of everything else.
   */
  size(key: string, fallback?: number): number {
    const most = /(^|_)(layers?|experts)$|group/.test(key) ? 500 : /vocab|position|n_ctx/.test(key) ? 2 ** 24 : 2 ** 20;
    return this.#read(
      key,
      `a whole number from 1 to ${most}`,
      fallback,
      (v): v is number => Number.isSafeInteger(v) && (v as number) > 0 && (v as number) <= most,
    );
  }

  /** A token id: a whole number from 0 on. */
  id(key: string, fallback?: number): number {
    return this.#read(
      key,
      'a whole number from 0 on',
      fallback,
      (v): v is number => Number.isSafeInteger(v) && (v as number) >= 0,
    );
  }

  number(key: string, fallback?: number): number {
    return this.#read(key, 'a number', fallback, (v): v is number => typeof v === 'number' && Number.isFinite(v));
  }

  flag(key: string, fallback?: boolean): boolean {
    return this.#read(key, 'true or false', fallback, (v): v is boolean => typeof v === 'boolean');
  }

  text(key: string, fallback?: string): string {
    return this.#read(key, 'a string', fallback, (v): v is string => typeof v === 'string');
  }

  textOrList(key: string, fallback?: string): string | readonly unknown[] {
    const fits = (v: unknown): v is string | unknown[] => typeof v === 'string' || Array.isArray(v);
    return this.#read<string | unknown[]>(key, 'a string or a list', fallback, fits);
  }

  list(key: string): readonly unknown[] {
    return this.#read(key, 'a list', undefined, (v): v is unknown[] => Array.isArray(v));
  }

  /** Names of classes, from `id2label` or, without, as many as `num_labels` says. */
  labels(): readonly string[] {
    const named = this.#json['id2label'];
    if (named === undefined || named === null)
      return Array.from({ length: this.size('num_labels', 2) }, (_, i) => `LABEL_${i}`);
    const entries = typeof named === 'object' ? Object.entries(named) : [];
    const labels = entries.map((_, i) => (named as Record<string, unknown>)[i]);
    if (labels.length === 0 || labels.some((label) => typeof label !== 'string' && typeof label !== 'number'))
      this.fail('id2label', `it is ${JSON.stringify(named).slice(0, 80)}`, 'names of classes by the numbers 0, 1, …');
    return labels.map(String);
  }

  /** An activation by the name that transformers gives it. */
  activation(key: string, fallback?: string): Activation {
    return this.activationNamed(key, this.text(key, fallback));
  }

  /** The same for a name that is part of what stands under a key. */
  activationNamed(key: string, name: string): Activation {
    const known = Object.hasOwn(activations, name) ? activations[name] : undefined;
    if (!known) this.fail(key, `"${name}" is no known activation`, `one of ${Object.keys(activations).join(', ')}`);
    return known!;
  }

  /** Refuse a value that would change the result in a way that is not built. */
  only(key: string, allowed: unknown, fallback: unknown = allowed): void {
    const value = this.#json[key] ?? fallback;
    if (JSON.stringify(value) !== JSON.stringify(allowed))
      this.fail(key, `${JSON.stringify(value)} is not supported`, JSON.stringify(allowed));
  }

  fail(key: string, problem: string, right: string): never {
    throw new ConfigError(`${this.#file}: "${key}": ${problem}; expected ${right}`);
  }

  #read<T>(key: string, what: string, fallback: T | undefined, fits: (value: unknown) => value is T): T {
    const value = this.#json[key] ?? fallback;
    if (value === undefined) this.fail(key, 'it is missing', what);
    if (!fits(value)) this.fail(key, `it is ${JSON.stringify(value)?.slice(0, 80)}`, what);
    return value as T;
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const activations: Readonly<Record<string, Activation>> = {
  relu: 'relu',
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'geluTanh',
  gelu_fast: 'geluTanh',
  gelu_accurate: 'geluTanh',
  gelu_python_tanh: 'geluTanh',
  gelu_pytorch_tanh: 'geluTanh',
  quick_gelu: 'geluQuick',
  silu: 'silu',
  swish: 'silu',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
  relu2: 'relu2',
};
