// Many tensors in the order of their bytes: what to read at once, and the pieces that come of it. The next bytes are read while
// the consumer works on the last ones. All memory is taken once and used again, so that none waits for the engine to collect it.
import { unitOf } from './arrange.ts';
import { Workspace, type Arrays, type Target } from './convert.ts';
import type { Files } from './files/files.ts';
import { converted, leastCommonMultiple, runsOf } from './pieces.ts';
import { blockOf, type TensorInfo } from './stored.ts';

/** Neighbouring tensors are read together up to this many bytes, larger ones in pieces of it. */
const READ_BYTES = 8 << 20;
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
  // Spans go into two places by turns: while one is worked on, the next comes into the other.
  const sizes = [0, 0];
  spans.forEach(({ start, end }, i) => (sizes[i % 2] = Math.max(sizes[i % 2]!, end - start)));
  const places = sizes.map((size) => new Uint8Array(size));
  const fetchSpan = (index: number): Promise<Uint8Array<ArrayBuffer>> | undefined => {
    const span = spans[index];
    if (!span) return undefined;
    const bytes = files.read(span.file, { start: span.start, end: span.end, signal: stop, into: places[index % 2]! });
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
        const type = typeof as === 'function' ? as(info) : as;
        const part = bytes.subarray(start - span.start, end - span.start);
        const block = blockOf(info.dtype);
        const before = ((start - info.start) / block.bytes) * block.elements;
        const count = (part.length / block.bytes) * block.elements;
        for (const run of runsOf(info, count)) {
          stop.throwIfAborted();
          const data = converted(info, part, run, type, space);
          const size = (run.count / block.elements) * block.bytes;
          const last = end === info.end && run.first + run.count === count;
          yield { info, as: type, offset: before + run.first, data, bytes: size, last } as Piece<typeof type>;
        }
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
  for (const info of sorted) {
    const step = stepOf(info);
    for (let start = info.start, first = true; first || start < info.end; start += step, first = false) {
      const end = Math.min(start + step, info.end);
      const span = spans.at(-1);
      const near = span?.file === info.file && start - span.end <= GAP_BYTES;
      if (near && end - span.start <= READ_BYTES) {
        span.parts.push({ info, start, end });
        span.end = Math.max(span.end, end);
      } else {
        spans.push({ file: info.file, start, end, parts: [{ info, start, end }] });
      }
    }
  }
  return spans;
}

/** Bytes of the largest part of a tensor that is read at once: whole blocks, whole units of its arrangement, a multiple of 32 elements. */
function stepOf(info: TensorInfo): number {
  const block = blockOf(info.dtype);
  const most = Math.floor(READ_BYTES / block.bytes) * block.elements;
  const unit = unitOf(info.arranged, info.shape);
  const step = leastCommonMultiple(leastCommonMultiple(unit, block.elements), 32);
  const count = Math.max(step, Math.floor(most / step) * step);
  return (count / block.elements) * block.bytes;
}
