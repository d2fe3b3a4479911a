// A checkpoint: every tensor of a model by name, read one at a time or streamed in the order of the file. Opening it reads and
// checks the headers only; every format gives the same list of tensors, and they are read by the same code.
import { elements, formatShape, type Shape } from '@transept/tensor';
import type { Arrays, Target } from './convert.ts';
import { CheckpointError, quoted } from './errors.ts';
import type { Files } from './files/files.ts';
import { readSafetensorsHeader } from './safetensors/header.ts';
import { readShards } from './safetensors/shards.ts';
import type { TensorInfo } from './stored.ts';
import { converted } from './pieces.ts';
import { stream, type Piece, type StreamOptions } from './stream.ts';

const SINGLE = 'model.safetensors';
const SHARDED = 'model.safetensors.index.json';

export interface OpenOptions {
  /** A `.safetensors` file or an `.index.json` of several. Default: model.safetensors, else its index. */
  readonly file?: string;
  readonly signal?: AbortSignal;
}

/** What the headers of a checkpoint say. */
export interface Contents {
  readonly tensors: readonly TensorInfo[];
  /** Strings that the writer left in the file. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Checkpoint {
  /** Where it was opened. */
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensor of that name. Throws a CheckpointError if there is none, or if its shape is not the one given. */
  find(name: string, shape?: Shape): TensorInfo;
  /** The same with some matrices read with rows and columns exchanged. Throws a CheckpointError for what is no matrix. */
  transposed(names: ReadonlySet<string>): Checkpoint;
  /** One whole tensor, row-major, converted. */
  read<T extends Target>(
    name: string,
    options: { readonly as: T; readonly shape?: Shape; readonly signal?: AbortSignal },
  ): Promise<Arrays[T]>;
  /**
   * Many tensors, in the order of their bytes, the next bytes being read while the consumer works. Takes about 32 MB once and no
   * more, however large the tensors; of a tensor that the file holds transposed it takes the whole as it is stored.
   */
  stream<T extends Target>(
    names: Iterable<string>,
    options: StreamOptions<T>,
  ): AsyncGenerator<Piece<T>, void, undefined>;
}

/**
 * Open the weights of a model: those that the place itself knows, as for a GGUF file, else safetensors. Reads headers only.
 * Throws a CheckpointError that names file, tensor and bytes.
 */
export async function openCheckpoint(files: Files, { file, signal }: OpenOptions = {}): Promise<Checkpoint> {
  const options = signal ? { signal } : {};
  if (!file && files.weights) return checkpointOf(files, files.name, await files.weights(options));
  const path = file ?? ((await files.has(SINGLE, options)) ? SINGLE : SHARDED);
  if (!file && path === SHARDED && !(await files.has(SHARDED, options)))
    throw new CheckpointError(`checkpoint: ${files.name} has no weights; expected ${SINGLE} or ${SHARDED}`);
  const open = path.endsWith('.json') ? readShards : readSafetensorsHeader;
  return checkpointOf(files, `${files.name}/${path}`, await open(files, path, options));
}

function checkpointOf(files: Files, place: string, { tensors: list, metadata }: Contents): Checkpoint {
  const tensors = new Map(list.map((tensor) => [tensor.name, tensor]));
  const find = (name: string, shape?: Shape): TensorInfo => {
    const info = tensors.get(name);
    if (!info)
      throw new CheckpointError(
        `checkpoint: no tensor ${quoted(name)} in ${place}; ${similar(name, [...tensors.keys()])}`,
      );
    if (shape && !(shape.length === info.shape.length && shape.every((d, i) => d === info.shape[i])))
      throw new CheckpointError(
        `checkpoint: tensor ${quoted(name)} in ${info.file} has shape ${formatShape(info.shape)}; expected ${formatShape(shape)}`,
      );
    return info;
  };
  return {
    name: place,
    tensors,
    metadata,
    find,
    transposed: (names) =>
      checkpointOf(files, place, {
        tensors: list.map((info) => (names.has(info.name) ? exchanged(info) : info)),
        metadata,
      }),
    async read(name, { as, shape, signal }) {
      const info = find(name, shape);
      const bytes = await files.read(info.file, { start: info.start, end: info.end, ...(signal && { signal }) });
      return converted(info, bytes, { first: 0, count: elements(info.shape) }, as);
    },
    stream: (names, options) =>
      stream(
        files,
        Array.from(new Set(names), (name) => find(name)),
        options,
      ),
  };
}

/** A matrix with rows and columns exchanged: what the file itself holds so is then as it lies. */
function exchanged({ arranged, ...info }: TensorInfo): TensorInfo {
  const kind = arranged?.kind ?? 'none';
  if (info.shape.length !== 2 || (kind !== 'none' && kind !== 'transposed'))
    throw new CheckpointError(
      `checkpoint: tensor ${quoted(info.name)} in ${info.file} has shape ${formatShape(info.shape)} and arrangement ${kind}; only a plain matrix is read with rows and columns exchanged`,
    );
  const shape = info.shape.toReversed();
  return { ...info, shape, ...(kind === 'none' && { arranged: { kind: 'transposed' as const } }) };
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
