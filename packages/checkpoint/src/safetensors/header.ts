// Reading the header of a safetensors file. Layout: 8 bytes length N (little endian), N bytes JSON, then the data; offsets
// in the JSON count from the data's first byte. https://github.com/huggingface/safetensors#format
// The file is not trusted: everything is checked against its real size before memory is taken for it.
import { CheckpointError, quoted } from '../errors.ts';
import type { Files } from '../files/files.ts';
import { describe, isObject, parseJson } from '../json.ts';
import { checkDisjoint } from '../layout.ts';
import { storedBytes, type PlainDType, type TensorInfo } from '../stored.ts';

/** The reference implementation refuses longer headers, too. */
const MAX_HEADER_BYTES = 100e6;
/** Read at once in the hope that the header is in it: saves a round trip. */
const FIRST_READ_BYTES = 64 << 10;
const MAX_RANK = 32;

export interface SafetensorsHeader {
  /** Strings that the writer left, such as `{ format: 'pt' }`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly TensorInfo[];
}

/** Read and check the header of one file. Tensors come in the order of their bytes. */
export async function readSafetensorsHeader(
  files: Files,
  file: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<SafetensorsHeader> {
  const size = await files.size(file, options);
  const first = await files.read(file, { start: 0, end: Math.min(size, FIRST_READ_BYTES), ...options });
  if (first.length < 8) throw fault(file, `it has ${size} bytes; expected 8 bytes of header length first`);
  const length = Number(new DataView(first.buffer, first.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES)
    throw fault(
      file,
      `bytes 0 to 8 give a header of ${length} bytes; expected at most ${MAX_HEADER_BYTES}. Is it a safetensors file?`,
    );
  if (8 + length > size)
    throw fault(
      file,
      `the header takes bytes 8 to ${8 + length}, the file has ${size}; it is cut short or no safetensors file`,
    );
  const bytes =
    8 + length <= first.length
      ? first.subarray(8, 8 + length)
      : await files.read(file, { start: 8, end: 8 + length, ...options });
  if (bytes[0] !== 0x7b) throw fault(file, `byte 8 is ${bytes[0]}; expected 123, the "{" that starts the header`);

  const entries = Object.entries(parseJson(bytes, `the header of ${file} (bytes 8 to ${8 + length})`));
  let metadata: Readonly<Record<string, string>> = {};
  const tensors: TensorInfo[] = [];
  for (const [name, value] of entries) {
    if (name === '__metadata__') metadata = checkMetadata(file, value);
    else tensors.push(checkTensor(file, name, value, 8 + length, size));
  }
  return { metadata, tensors: checkDisjoint(`safetensors: ${file}`, tensors) };
}

function checkMetadata(file: string, value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value) || Object.values(value).some((v) => typeof v !== 'string'))
    throw fault(file, `__metadata__ is ${describe(value)}; expected an object of strings`);
  return value as Readonly<Record<string, string>>;
}

function checkTensor(file: string, name: string, value: unknown, dataStart: number, size: number): TensorInfo {
  const bad = (what: string): CheckpointError => fault(file, `tensor ${quoted(name)}: ${what}`);
  if (!isObject(value)) throw bad(`it is described by ${describe(value)}; expected an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(storedBytes, dtype))
    throw bad(`dtype is ${describe(dtype)}; expected one of ${Object.keys(storedBytes).join(', ')}`);
  const isCount = (d: unknown): d is number => Number.isSafeInteger(d) && (d as number) >= 0;
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isCount))
    throw bad(`shape is ${describe(shape)}; expected at most ${MAX_RANK} whole numbers that are not negative`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    throw bad(`data_offsets is ${describe(offsets)}; expected two whole numbers`);
  const [from, to] = offsets as [number, number];
  if (from > to || dataStart + to > size)
    throw bad(
      `it takes bytes ${dataStart + from} to ${dataStart + to}, the file has ${size}; it is cut short or its header is wrong`,
    );
  // A product beyond 2^53 is inexact, but then far more than any file has bytes. Zero sizes come first: 0 · huge is 0.
  const count = shape.includes(0) ? 0 : shape.reduce((n, d) => n * d, 1);
  const expected = count * storedBytes[dtype as PlainDType];
  if (to - from !== expected)
    throw bad(
      `${dtype} [${shape.join(', ')}] needs ${expected} bytes, data_offsets [${from}, ${to}] give ${to - from}`,
    );
  return { name, dtype: dtype as PlainDType, shape, file, start: dataStart + from, end: dataStart + to };
}

const fault = (file: string, what: string): CheckpointError => new CheckpointError(`safetensors: ${file}: ${what}`);
