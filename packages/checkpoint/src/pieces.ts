// How a tensor is cut into pieces that are converted one at a time, and what becomes of each: what the file's arrangement changed is
// changed back on the way, in memory that is used again.
import { elements, formatShape } from '@transept/tensor';
import { gatherRows, rowElements, transpose, type RowArrangement } from './arrange.ts';
import { convert, ConversionError, encode, valuesOf, type Arrays, type Target, type Workspace } from './convert.ts';
import { CheckpointError, quoted } from './errors.ts';
import { blockOf, type TensorInfo } from './stored.ts';

/** Pieces have about so many elements at most: 4 MB in f32. */
const PIECE_ELEMENTS = 1 << 20;
/** Pieces begin at multiples of so many elements, which q8 and q4 share scales among. */
const STEP = 32;

/** A run of a part's elements, in the order of its tensor; all of a part is a run, too. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

/** The runs of a part: so many elements from the beginning of a unit to the end of one. Of nothing, an empty one. */
export function* runsOf(info: TensorInfo, count: number, most = PIECE_ELEMENTS): Generator<Run> {
  const block = blockOf(info.dtype).elements;
  const row = isMoved(info) ? rowElements(info.shape) : 1;
  const step =
    info.arranged?.kind === 'transposed'
      ? leastCommonMultiple(block, STEP) * row
      : leastCommonMultiple(leastCommonMultiple(block, STEP), row);
  const length = Math.max(step, Math.floor(most / step) * step);
  let first = 0;
  do {
    yield { first, count: Math.min(length, count - first) };
    first += length;
  } while (first < count);
}

export function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [Math.max(1, a), b];
  while (y !== 0) [x, y] = [y, x % y];
  return (Math.max(1, a) / x) * b;
}

/**
 * A run of a part of a tensor as elements of a type. `bytes` is the part as it is stored. Without a workspace the result has memory
 * of its own. Throws a CheckpointError that names the tensor.
 */
export function converted<T extends Target>(
  info: TensorInfo,
  bytes: Uint8Array<ArrayBuffer>,
  run: Run,
  as: T,
  space?: Workspace,
): Arrays[T] {
  const { arranged, dtype } = info;
  const block = blockOf(dtype);
  const stored = (count: number): number => (count / block.elements) * block.bytes;
  try {
    if (isMoved(info)) return moved(info, bytes, run, as, space);
    const part = bytes.subarray(stored(run.first), stored(run.first + run.count));
    if (arranged?.kind !== 'added') return convert(part, dtype, as, space);
    const values = valuesOf(part, dtype, space);
    for (let i = 0; i < values.length; i++) values[i]! -= arranged.value;
    return encode(values, as, space);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new CheckpointError(
      `checkpoint: tensor ${quoted(info.name)} (${dtype} ${formatShape(info.shape)}, ${elements(info.shape)} elements, ` +
        `${info.file} bytes ${info.start} to ${info.end}) cannot be read as ${as}: ${error.message}`,
      { cause: error },
    );
  }
}

/** Does its arrangement move rows? */
const isMoved = (info: TensorInfo): info is TensorInfo & { readonly arranged: RowArrangement } =>
  info.arranged !== undefined && info.arranged.kind !== 'added' && elements(info.shape) > 0;

function moved<T extends Target>(
  { arranged, shape, dtype }: TensorInfo & { readonly arranged: RowArrangement },
  bytes: Uint8Array<ArrayBuffer>,
  { first, count }: Run,
  as: T,
  space?: Workspace,
): Arrays[T] {
  const row = rowElements(shape);
  const block = blockOf(dtype);
  const length = (count / block.elements) * block.bytes;
  const gathered = space?.take('gathered', 'u8', length) ?? new Uint8Array(length);
  gatherRows(bytes, { arranged, shape, first: first / row, last: (first + count) / row }, block, gathered);
  if (arranged.kind === 'paired-rows') return convert(gathered, dtype, as, space);
  const values = valuesOf(gathered, dtype, space);
  const ordered = space?.take('ordered', 'f32', count) ?? new Float32Array(count);
  transpose(values, row, ordered);
  return encode(ordered, as, space);
}
