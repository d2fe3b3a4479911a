// Writing safetensors: header padded to 8 bytes, wide elements first, so that every tensor is aligned for its type.
import { elements, formatShape, type Shape } from '@transept/tensor';
import { CheckpointError, quoted } from '../errors.ts';
import { storedBytes, type PlainDType } from '../stored.ts';

export interface StoredTensor {
  readonly dtype: PlainDType;
  readonly shape: Shape;
  /** Row-major elements, as many bytes as shape and type need. */
  readonly data: ArrayBufferView;
}

export interface WriteOptions {
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The bytes of a file up to its data, for tensors whose bytes follow in the same order. */
export function safetensorsHeader(
  tensors: readonly { readonly name: string; readonly dtype: PlainDType; readonly shape: Shape }[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  if (metadata) header.__metadata__ = metadata;
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    if (name === '__metadata__')
      throw new CheckpointError(`writeSafetensors: a tensor cannot be called ${quoted(name)}`);
    header[name] = { dtype, shape, data_offsets: [offset, (offset += elements(shape) * storedBytes[dtype])] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(json, 8);
  return head;
}

/** The file in pieces: the header, then the bytes of one tensor after the other. Nothing is copied. */
export function* safetensorsPieces(
  tensors: Readonly<Record<string, StoredTensor>>,
  { metadata }: WriteOptions = {},
): Generator<Uint8Array, void, undefined> {
  const entries = Object.entries(tensors).sort(([, a], [, b]) => storedBytes[b.dtype] - storedBytes[a.dtype]);
  for (const [name, { dtype, shape, data }] of entries) {
    const expected = elements(shape) * storedBytes[dtype];
    if (data.byteLength !== expected)
      throw new CheckpointError(
        `writeSafetensors: tensor ${quoted(name)}: ${dtype} ${formatShape(shape)} needs ${expected} bytes, data has ${data.byteLength}`,
      );
  }
  yield safetensorsHeader(
    entries.map(([name, tensor]) => ({ name, ...tensor })),
    metadata,
  );
  for (const [, { data }] of entries) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The whole file in memory. */
export function writeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>>,
  options: WriteOptions = {},
): Uint8Array<ArrayBuffer> {
  const pieces = [...safetensorsPieces(tensors, options)];
  const out = new Uint8Array(pieces.reduce((n, piece) => n + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
