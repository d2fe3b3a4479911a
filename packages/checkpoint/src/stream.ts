// Many tensors in the order of their bytes: what to read at once, and the pieces that come of it. The next bytes are read while
// the consumer works on the last ones.
import { elements, formatShape } from '@transept/tensor';
import { undo, undoBytes, unitOf } from './arrange.ts';
import { convert, ConversionError, encode, isKept, Workspace, type Arrays, type Target } from './convert.ts';
import { CheckpointError, quoted } from './errors.ts';
import type { Files } from './files/files.ts';
import { blockOf, type TensorInfo } from './stored.ts';

/** Neighbouring tensors are read together up to this many bytes, larger ones in pieces of it. */
const READ_BYTES = 8 << 20;
/** Blocks of few bytes grow when they are expanded: no piece has more elements. */
const READ_ELEMENTS = 4 << 20;
/** Gaps up to this size are read and dropped rather than read around. */
const GAP_BYTES = 64 << 10;

export interface StreamOptions<T extends Target> {
  /** The type to convert to, for all tensors or for each. */
  readonly as: T | ((info: TensorInfo) => T);
  readonly signal?: AbortSignal;
}

/** A run of elements of one tensor. Pieces of a tensor come one after the other, and begin at multiples of 32 elements. */
export type Piece<T extends Target> = {
  [K in T]: {
    readonly info: TensorInfo;
    readonly as: K;
    /** Index of the first element, counted through the whole tensor. */
    readonly offset: number;
    /** Good until the next piece is asked for: its memory is used again. */
    readonly data: Arrays[K];
    /** How many bytes of the file these are. */
    readonly bytes: number;
    /** Is this the end of the tensor? */
    readonly last: boolean;
  };
}[T];

/** The pieces of the given tensors. Leaving the loop early stops the reading. */
export async function* stream<T extends Target>(
  files: Files,
  infos: readonly TensorInfo[],
  { as, signal }: StreamOptions<T>,
): AsyncGenerator<Piece<T>, void, undefined> {
  const abort = new AbortController();
  const stop = signal ? AbortSignal.any([signal, abort.signal]) : abort.signal;
  const spans = plan(infos);
  const space = new Workspace();
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
        const data = converted(info, bytes.subarray(start - span.start, end - span.start), type, space);
        const block = blockOf(info.dtype);
        const offset = ((start - info.start) / block.bytes) * block.elements;
        yield { info, as: type, offset, data, bytes: end - start, last: end === info.end } as Piece<typeof type>;
      }
    }
  } finally {
    abort.abort();
  }
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
  let elements = 0;
  for (const info of sorted) {
    const step = stepOf(info);
    const density = elementsOf(info) / Math.max(1, info.end - info.start);
    for (let start = info.start, first = true; first || start < info.end; start += step, first = false) {
      const end = Math.min(start + step, info.end);
      const span = spans.at(-1);
      elements += (end - start) * density;
      const near = span?.file === info.file && start - span.end <= GAP_BYTES;
      if (near && end - span.start <= READ_BYTES && elements <= READ_ELEMENTS) {
        span.parts.push({ info, start, end });
        span.end = Math.max(span.end, end);
      } else {
        elements = (end - start) * density;
        spans.push({ file: info.file, start, end, parts: [{ info, start, end }] });
      }
    }
  }
  return spans;
}

const elementsOf = (info: TensorInfo): number => elements(info.shape);

/** Bytes of the largest piece of a tensor: whole blocks, whole units of its arrangement, a multiple of 32 elements. */
function stepOf(info: TensorInfo): number {
  const block = blockOf(info.dtype);
  const most = Math.min(READ_ELEMENTS, Math.floor(READ_BYTES / block.bytes) * block.elements);
  const unit = unitOf(info.arranged, info.shape);
  const step = leastCommonMultiple(leastCommonMultiple(unit, block.elements), 32);
  const count = Math.max(step, Math.floor(most / step) * step);
  return (count / block.elements) * block.bytes;
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [Math.max(1, a), b];
  while (y !== 0) [x, y] = [y, x % y];
  return (Math.max(1, a) / x) * b;
}

/** Stored elements of one tensor, from the first of a unit to the last of one, as elements of a type. */
export function converted<T extends Target>(
  info: TensorInfo,
  bytes: Uint8Array<ArrayBuffer>,
  as: T,
  space?: Workspace,
): Arrays[T] {
  try {
    if (!info.arranged) return convert(bytes, info.dtype, as, space);
    if (isKept(info.dtype, as)) {
      const block = blockOf(info.dtype);
      const units = ((bytes.length / block.bytes) * block.elements) / unitOf(info.arranged, info.shape);
      const inOrder = undoBytes(bytes, info.arranged, info.shape, units);
      if (inOrder) return convert(inOrder, info.dtype, as, space);
    }
    return encode(undo(convert(bytes, info.dtype, 'f32'), info.arranged, info.shape), as, space);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new CheckpointError(
      `checkpoint: tensor ${quoted(info.name)} (${info.dtype} ${formatShape(info.shape)}, ${elementsOf(info)} elements, ` +
        `${info.file} bytes ${info.start} to ${info.end}) cannot be read as ${as}: ${error.message}`,
      { cause: error },
    );
  }
}
