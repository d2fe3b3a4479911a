// A checkpoint: every tensor of a model by name, read one at a time or streamed in the order of the file. Opening it reads and
// checks the headers only; later formats give the same list of tensors and are read by the same code.
import { elements, formatShape, type DType, type Shape } from '@transept/tensor';
import { convert, ConversionError, type Arrays } from './convert.ts';
import { CheckpointError, quoted } from './errors.ts';
import type { Files } from './files/files.ts';
import { readSafetensorsHeader } from './safetensors/header.ts';
import { readShards } from './safetensors/shards.ts';
import { storedBytes, type TensorInfo } from './stored.ts';

const SINGLE = 'model.safetensors';
const SHARDED = 'model.safetensors.index.json';
/** Neighbouring tensors are read together up to this many bytes, larger ones in pieces of it. */
const READ_BYTES = 8 << 20;
/** Gaps up to this size are read and dropped rather than read around. */
const GAP_BYTES = 64 << 10;

export interface OpenOptions {
  /** A `.safetensors` file or an `.index.json` of several. Default: model.safetensors, else its index. */
  readonly file?: string;
  readonly signal?: AbortSignal;
}

export interface StreamOptions<T extends DType> {
  /** The type to convert to, for all tensors or for each. */
  readonly as: T | ((info: TensorInfo) => T);
  readonly signal?: AbortSignal;
}

/** A run of elements of one tensor. Pieces of a tensor come one after the other, and begin at multiples of 4 elements. */
export type Piece<T extends DType> = {
  [K in T]: {
    readonly info: TensorInfo;
    readonly as: K;
    /** Index of the first element, counted through the whole tensor. */
    readonly offset: number;
    readonly data: Arrays[K];
    /** Is this the end of the tensor? */
    readonly last: boolean;
  };
}[T];

export interface Checkpoint {
  /** Where it was opened. */
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Strings that the writer left in the file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensor of that name. Throws a CheckpointError if there is none, or if its shape is not the one given. */
  find(name: string, shape?: Shape): TensorInfo;
  /** One whole tensor, row-major, converted. */
  read<T extends DType>(
    name: string,
    options: { readonly as: T; readonly shape?: Shape; readonly signal?: AbortSignal },
  ): Promise<Arrays[T]>;
  /**
   * Many tensors, in the order of their bytes, the next bytes being read while the consumer works. Holds about 16 MB of the
   * files and one converted piece at a time, however large the tensors. Leaving the loop early stops the reading.
   */
  stream<T extends DType>(
    names: Iterable<string>,
    options: StreamOptions<T>,
  ): AsyncGenerator<Piece<T>, void, undefined>;
}

/** Open the weights of a model. Reads headers only. Throws a CheckpointError that names file, tensor and bytes. */
export async function openCheckpoint(files: Files, { file, signal }: OpenOptions = {}): Promise<Checkpoint> {
  const options = signal ? { signal } : {};
  const path = file ?? ((await files.has(SINGLE, options)) ? SINGLE : SHARDED);
  if (!file && path === SHARDED && !(await files.has(SHARDED, options)))
    throw new CheckpointError(`checkpoint: ${files.name} has no weights; expected ${SINGLE} or ${SHARDED}`);
  const open = path.endsWith('.json') ? readShards : readSafetensorsHeader;
  const { tensors: list, metadata } = await open(files, path, options);
  const tensors = new Map(list.map((tensor) => [tensor.name, tensor]));

  const find = (name: string, shape?: Shape): TensorInfo => {
    const info = tensors.get(name);
    if (!info)
      throw new CheckpointError(
        `checkpoint: no tensor ${quoted(name)} in ${files.name}/${path}; ${similar(name, [...tensors.keys()])}`,
      );
    if (shape && !(shape.length === info.shape.length && shape.every((d, i) => d === info.shape[i])))
      throw new CheckpointError(
        `checkpoint: tensor ${quoted(name)} in ${info.file} has shape ${formatShape(info.shape)}; expected ${formatShape(shape)}`,
      );
    return info;
  };

  return {
    name: `${files.name}/${path}`,
    tensors,
    metadata,
    find,
    async read(name, { as, shape, signal }) {
      const info = find(name, shape);
      const bytes = await files.read(info.file, { start: info.start, end: info.end, ...(signal && { signal }) });
      return converted(info, bytes, as);
    },
    async *stream(names, { as, signal }) {
      const abort = new AbortController();
      const stop = signal ? AbortSignal.any([signal, abort.signal]) : abort.signal;
      const spans = plan(Array.from(new Set(names), (name) => find(name)));
      const fetchSpan = (index: number): Promise<Uint8Array<ArrayBuffer>> | undefined => {
        const span = spans[index];
        if (!span) return undefined;
        const bytes = files.read(span.file, { start: span.start, end: span.end, signal: stop });
        // A failure is reported when its turn comes; until then nobody is waiting for it.
        bytes.catch(() => {});
        return bytes;
      };
      try {
        let next = fetchSpan(0);
        for (let i = 0; next; i++) {
          const bytes = await next;
          next = fetchSpan(i + 1);
          const span = spans[i]!;
          for (const { info, start, end } of span.parts) {
            stop.throwIfAborted();
            const type = typeof as === 'function' ? as(info) : as;
            const data = converted(info, bytes.subarray(start - span.start, end - span.start), type);
            const offset = (start - info.start) / storedBytes[info.dtype];
            yield { info, as: type, offset, data, last: end === info.end } as Piece<typeof type>;
          }
        }
      } finally {
        abort.abort();
      }
    },
  };
}

/** A range of one file, and the parts of tensors in it. */
interface Span {
  readonly file: string;
  readonly start: number;
  end: number;
  readonly parts: { readonly info: TensorInfo; readonly start: number; readonly end: number }[];
}

/** What to read, in which order: neighbours together, large tensors in pieces. */
function plan(infos: readonly TensorInfo[]): Span[] {
  const order = new Map<string, number>();
  for (const { file } of infos) if (!order.has(file)) order.set(file, order.size);
  const sorted = infos.toSorted((a, b) => order.get(a.file)! - order.get(b.file)! || a.start - b.start);
  const spans: Span[] = [];
  for (const info of sorted) {
    for (let start = info.start, first = true; first || start < info.end; start += READ_BYTES, first = false) {
      const end = Math.min(start + READ_BYTES, info.end);
      const span = spans.at(-1);
      if (span && span.file === info.file && start - span.end <= GAP_BYTES && end - span.start <= READ_BYTES) {
        span.parts.push({ info, start, end });
        span.end = Math.max(span.end, end);
      } else spans.push({ file: info.file, start, end, parts: [{ info, start, end }] });
    }
  }
  return spans;
}

function converted<T extends DType>(info: TensorInfo, bytes: Uint8Array<ArrayBuffer>, as: T): Arrays[T] {
  try {
    return convert(bytes, info.dtype, as);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new CheckpointError(
      `checkpoint: tensor ${quoted(info.name)} (${info.dtype} ${formatShape(info.shape)}, ${elements(info.shape)} elements, ` +
        `${info.file} bytes ${info.start} to ${info.end}) cannot be read as ${as}: ${error.message}`,
      { cause: error },
    );
  }
}

/** A hint: the names that share the longest end or beginning with the one that is missing. */
function similar(name: string, names: readonly string[]): string {
  if (names.length === 0) return 'it has no tensors at all';
  const common = (other: string): number => {
    let head = 0;
    let tail = 0;
    while (head < Math.min(name.length, other.length) && name[head] === other[head]) head++;
    while (tail < Math.min(name.length, other.length) && name.at(-1 - tail) === other.at(-1 - tail)) tail++;
    return head + tail;
  };
  const near = names.toSorted((a, b) => common(b) - common(a)).slice(0, 3);
  return `it has ${names.length} tensors, among them ${near.map(quoted).join(', ')}`;
}
