// Reading the header of a GGUF file: magic, version, metadata, tensor descriptions; then, aligned, the data.
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
// How long the header is shows only while it is read, so that more of the file is fetched when the bytes at hand run out. Counts
// in the file are never believed beyond the bytes that are there: memory grows with what was read, not with what was promised.
import { formatShape } from '@transept/tensor';
import { CheckpointError, quoted } from '../errors.ts';
import type { Files } from '../files/files.ts';
import { checkDisjoint } from '../layout.ts';
import { blockOf, type StoredDType, type TensorInfo } from '../stored.ts';
import { Metadata, type MetadataValue } from './metadata.ts';

const FIRST_READ_BYTES = 1 << 20;
/** A vocabulary of 256,000 tokens with merges takes about 15 MB. */
const MAX_HEADER_BYTES = 256 << 20;
const MAX_DIMENSIONS = 4;
const MAX_NESTING = 4;
const DEFAULT_ALIGNMENT = 32;

export interface GgufHeader {
  readonly metadata: Metadata;
  /** In the order of their bytes, under the names they have in the file, shapes outermost axis first. */
  readonly tensors: readonly TensorInfo[];
}

/** Read and check the header of one file. Throws a CheckpointError that names file, key or tensor, and bytes. */
export async function readGgufHeader(
  files: Files,
  file: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<GgufHeader> {
  const size = await files.size(file, options);
  let bytes = await files.read(file, { start: 0, end: Math.min(size, FIRST_READ_BYTES), ...options });
  for (;;) {
    try {
      return parse(new Cursor(bytes, file, size), file, size);
    } catch (error) {
      if (!(error instanceof OutOfBytes)) throw error;
      if (bytes.length === size) throw fault(file, `its header runs past its end at byte ${size}; it is cut short`);
      if (bytes.length >= MAX_HEADER_BYTES)
        throw fault(file, `its header has more than ${MAX_HEADER_BYTES} bytes; that is no model`);
      const end = Math.min(size, MAX_HEADER_BYTES, Math.max(4 * bytes.length, error.needed));
      const joined = new Uint8Array(end);
      joined.set(bytes);
      const rest = joined.subarray(bytes.length);
      const more = await files.read(file, { start: bytes.length, end, into: rest, ...options });
      if (more.buffer !== joined.buffer) rest.set(more);
      bytes = joined;
    }
  }
}

const fault = (file: string, what: string): CheckpointError => new CheckpointError(`gguf: ${file}: ${what}`);

/** The bytes at hand end before the header does. */
class OutOfBytes extends Error {
  readonly needed: number;
  constructor(needed: number) {
    super();
    this.needed = needed;
  }
}

/** Reads numbers and strings one after the other. */
class Cursor {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #file: string;
  readonly #size: number;
  at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>, file: string, size: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#file = file;
    this.#size = size;
  }

  fail(what: string): never {
    throw fault(this.#file, `${what}, at byte ${this.at}`);
  }

  /** Where the next so many bytes begin, which are passed. */
  skip(count: number): number {
    const start = this.at;
    const end = start + count;
    if (end > this.#size) this.fail(`${count} bytes are announced, the file has ${this.#size}`);
    if (end > this.#bytes.length) throw new OutOfBytes(end);
    this.at = end;
    return start;
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  /** A count or an offset: beyond 2^53 it is more than any file has. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.skip(8), true));
  }

  string(): string {
    const length = this.u64();
    const start = this.skip(length);
    return decoder.decode(this.#bytes.subarray(start, start + length));
  }

  scalar(type: number): number | bigint | boolean {
    const view = this.#view;
    switch (type) {
      case 0:
        return view.getUint8(this.skip(1));
      case 1:
        return view.getInt8(this.skip(1));
      case 2:
        return view.getUint16(this.skip(2), true);
      case 3:
        return view.getInt16(this.skip(2), true);
      case 4:
        return view.getUint32(this.skip(4), true);
      case 5:
        return view.getInt32(this.skip(4), true);
      case 6:
        return view.getFloat32(this.skip(4), true);
      case BOOL: {
        const value = view.getUint8(this.skip(1));
        return value < 2 ? value === 1 : this.fail(`a truth value is ${value}; expected 0 or 1`);
      }
      case 10:
        return exact(view.getBigUint64(this.skip(8), true));
      case 11:
        return exact(view.getBigInt64(this.skip(8), true));
      case 12:
        return view.getFloat64(this.skip(8), true);
      default:
        return this.fail(`a value has type ${type}; expected 0 to 12`);
    }
  }

  value(type: number, depth = 0): MetadataValue {
    if (type === STRING) return this.string();
    if (type !== ARRAY) return this.scalar(type);
    if (depth === MAX_NESTING) this.fail(`arrays nest deeper than ${MAX_NESTING} levels`);
    const inner = this.u32();
    const count = this.u64();
    const width = widths[inner];
    if (width === undefined) this.fail(`an array has elements of type ${inner}; expected 0 to 12`);
    // All elements have to be there before memory is taken for them.
    this.skip(count * width!);
    this.at -= count * width!;
    const make = numbers[inner];
    if (!make) return Array.from({ length: count }, () => this.value(inner, depth + 1));
    const start = this.skip(count * width!);
    return new make(this.#bytes.slice(start, this.at).buffer);
  }
}

const BOOL = 7;
const STRING = 8;
const ARRAY = 9;
/** Bytes of each type of value; of strings and arrays, the fewest. */
const widths: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8];
/** Arrays of these types become typed arrays: no larger than they were in the file. */
const numbers: Readonly<Record<number, new (buffer: ArrayBuffer) => Exclude<MetadataValue, string | number>>> = {
  0: Uint8Array,
  1: Int8Array,
  2: Uint16Array,
  3: Int16Array,
  4: Uint32Array,
  5: Int32Array,
  6: Float32Array,
  7: Uint8Array,
  12: Float64Array,
};

/** U+FEFF at the beginning is a token like others, not a mark. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

const exact = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

function parse(cursor: Cursor, file: string, size: number): GgufHeader {
  if (size < 24) throw fault(file, `it has ${size} bytes; expected at least 24`);
  const magic = cursor.u32();
  if (magic !== 0x46554747)
    throw fault(file, `bytes 0 to 4 are 0x${magic.toString(16)}; expected 0x46554747, "GGUF". Is it a GGUF file?`);
  const version = cursor.u32();
  if (version !== 2 && version !== 3)
    throw fault(
      file,
      version & 0xffff ? `version ${version}; expected 2 or 3` : 'it is big endian; expected little endian',
    );
  const tensorCount = cursor.u64();
  const keyCount = cursor.u64();

  const values = new Map<string, MetadataValue>();
  for (let i = 0; i < keyCount; i++) {
    const key = cursor.string();
    if (values.has(key)) cursor.fail(`the key ${quoted(key)} comes twice`);
    values.set(key, cursor.value(cursor.u32()));
  }
  const metadata = new Metadata(values, file);
  const alignment = metadata.count('general.alignment', DEFAULT_ALIGNMENT);
  if (alignment < 1 || alignment > 1 << 20)
    throw fault(file, `general.alignment is ${alignment}; expected 1 to ${1 << 20}`);

  const described: Described[] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) {
    const tensor = describeTensor(cursor);
    if (names.has(tensor.name)) cursor.fail(`the tensor ${quoted(tensor.name)} comes twice`);
    names.add(tensor.name);
    described.push(tensor);
  }
  const data = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = described.map((tensor) => place(tensor, { file, size, data, alignment }));
  return { metadata, tensors: checkDisjoint(`gguf: ${file}`, tensors) };
}

interface Described {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  readonly offset: number;
}

function describeTensor(cursor: Cursor): Described {
  const name = cursor.string();
  const rank = cursor.u32();
  if (rank > MAX_DIMENSIONS)
    cursor.fail(`tensor ${quoted(name)} has ${rank} dimensions; expected at most ${MAX_DIMENSIONS}`);
  const shape = Array.from({ length: rank }, () => cursor.u64()).reverse();
  if (!shape.every(Number.isSafeInteger)) cursor.fail(`tensor ${quoted(name)} has shape ${formatShape(shape)}`);
  const type = cursor.u32();
  const dtype = types[type];
  if (dtype === undefined)
    cursor.fail(
      `tensor ${quoted(name)} is stored as ${others[type] ?? `type ${type}`}, which is not supported; ` +
        `there is ${Object.values(types).join(', ')}`,
    );
  return { name, dtype: dtype!, shape, offset: cursor.u64() };
}

interface DataSection {
  readonly file: string;
  readonly size: number;
  readonly data: number;
  readonly alignment: number;
}

function place({ name, dtype, shape, offset }: Described, { file, size, data, alignment }: DataSection): TensorInfo {
  const bad = (what: string): CheckpointError => fault(file, `tensor ${quoted(name)}: ${what}`);
  const block = blockOf(dtype);
  const row = shape.at(-1) ?? 1;
  if (row % block.elements !== 0)
    throw bad(`${dtype} ${formatShape(shape)} has rows of ${row}; expected a multiple of ${block.elements}`);
  // A product beyond 2^53 is inexact, but then far more than any file has bytes. Zero sizes come first: 0 · huge is 0.
  const count = shape.includes(0) ? 0 : shape.reduce((n, d) => n * d, 1);
  const bytes = (count / block.elements) * block.bytes;
  const start = data + offset;
  if (offset % alignment !== 0) throw bad(`its offset is ${offset}; expected a multiple of ${alignment}`);
  if (!(start + bytes <= size))
    throw bad(
      `${dtype} ${formatShape(shape)} takes bytes ${start} to ${start + bytes}, the file has ${size}; it is cut short or its header is wrong`,
    );
  return { name, dtype, shape, file, start, end: start + bytes };
}

/** ggml_type of ggml.h. */
const types: Readonly<Record<number, StoredDType>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  20: 'IQ4_NL',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  30: 'BF16',
  34: 'TQ1_0',
  35: 'TQ2_0',
};

const others: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  21: 'IQ3_S',
  22: 'IQ2_S',
  29: 'IQ1_M',
  39: 'MXFP4',
  40: 'NVFP4',
};
