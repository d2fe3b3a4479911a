// Writing a checkpoint that transformers reads: config.json, and safetensors in one file or in several with an index.
import { elements, formatShape } from '@transept/tensor';
import { CheckpointError, quoted } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { safetensorsHeader } from '../safetensors/write.ts';
import { storedBytes, type PlainDType } from '../stored.ts';
import { configText } from './config.ts';
import type { Sink } from './sink.ts';

/** Elements of one tensor in order, in memory or one run after the other. */
export type TensorData = ArrayBufferView<ArrayBuffer> | AsyncIterable<ArrayBufferView<ArrayBuffer>>;

export interface SavedTensor {
  readonly name: string;
  readonly dtype: PlainDType;
  readonly shape: readonly number[];
  /** Asked for when its turn comes. */
  readonly data: () => TensorData | Promise<TensorData>;
}

export interface SaveOptions {
  /** A file has at most so many bytes of tensors, unless one tensor has more. Default: 5,000,000,000, as transformers. */
  readonly maxShardBytes?: number;
  /** Further files, such as generation_config.json and tokenizer.json. */
  readonly documents?: Readonly<Record<string, JsonObject>>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly bytes: number; readonly totalBytes: number }) => void;
}

const MAX_SHARD_BYTES = 5e9;

/** Write config.json and the tensors. Throws a CheckpointError where a tensor has another number of bytes than its shape needs. */
export async function saveCheckpoint(
  to: Sink,
  config: JsonObject,
  tensors: readonly SavedTensor[],
  options: SaveOptions = {},
): Promise<void> {
  const { maxShardBytes = MAX_SHARD_BYTES, documents = {}, signal, onProgress } = options;
  if (!(maxShardBytes > 0))
    throw new CheckpointError(`saveCheckpoint: maxShardBytes is ${maxShardBytes}; expected more than 0`);
  checkNames(tensors);
  const totalBytes = tensors.reduce((n, tensor) => n + bytesOf(tensor), 0);
  let bytes = 0;
  const count = (more: number): void => {
    signal?.throwIfAborted();
    bytes += more;
    onProgress?.({ bytes, totalBytes });
  };

  for (const [path, json] of Object.entries({ 'config.json': config, ...documents }))
    await to.write(path, text(path === 'config.json' ? configText(json) : `${JSON.stringify(json, undefined, 2)}\n`));
  const shards = split(tensors, maxShardBytes);
  if (shards.length === 1) return to.write('model.safetensors', file(shards[0]!, count));
  const map: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [i, shard] of shards.entries()) {
    const path = `model-${number(i + 1)}-of-${number(shards.length)}.safetensors`;
    for (const { name } of shard) map[name] = path;
    await to.write(path, file(shard, count));
  }
  const index = { metadata: { total_size: totalBytes }, weight_map: map };
  await to.write('model.safetensors.index.json', text(`${JSON.stringify(index, undefined, 2)}\n`));
}

const number = (n: number): string => String(n).padStart(5, '0');

const bytesOf = ({ shape, dtype }: SavedTensor): number => elements(shape) * storedBytes[dtype];

function checkNames(tensors: readonly SavedTensor[]): void {
  const seen = new Set<string>();
  for (const { name } of tensors) {
    if (seen.has(name)) throw new CheckpointError(`saveCheckpoint: tensor ${quoted(name)} is given twice`);
    seen.add(name);
  }
}

/** Tensors in order, as many to a file as fit. */
function split(tensors: readonly SavedTensor[], most: number): SavedTensor[][] {
  const shards: SavedTensor[][] = [[]];
  let size = 0;
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor);
    if (size > 0 && size + bytes > most) {
      shards.push([]);
      size = 0;
    }
    shards.at(-1)!.push(tensor);
    size += bytes;
  }
  return shards;
}

async function* text(contents: string): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  yield new TextEncoder().encode(contents);
}

/** One file, tensors of wide elements first, so that each is aligned for its type. */
async function* file(
  tensors: readonly SavedTensor[],
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const sorted = tensors.toSorted((a, b) => storedBytes[b.dtype] - storedBytes[a.dtype]);
  // transformers asks what wrote a file, and takes those of PyTorch.
  yield safetensorsHeader(sorted, { format: 'pt' });
  for (const tensor of sorted) {
    const data = await tensor.data();
    let written = 0;
    for await (const part of ArrayBuffer.isView(data) ? [data] : data) {
      written += part.byteLength;
      if (written > bytesOf(tensor)) break;
      yield new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
      count(part.byteLength);
    }
    if (written !== bytesOf(tensor))
      throw new CheckpointError(
        `saveCheckpoint: tensor ${quoted(tensor.name)}: ${tensor.dtype} ${formatShape(tensor.shape)} needs ${bytesOf(tensor)} bytes, its data has ${written > bytesOf(tensor) ? 'more' : written}`,
      );
  }
}
