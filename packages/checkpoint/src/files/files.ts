// A place where the files of a model lie: a folder, a web address, blobs in a browser. Everything else reads through it.
import type { Contents } from '../checkpoint.ts';
import { CheckpointError, quoted } from '../errors.ts';

export interface ReadOptions {
  /** First byte. Default 0. */
  readonly start?: number;
  /** Byte after the last one. Default: the end of the file. */
  readonly end?: number;
  readonly signal?: AbortSignal;
  /**
   * Memory for the bytes, at least as many as are asked for. A place that can puts them at its beginning and gives a view of them;
   * another gives memory of its own.
   */
  readonly into?: Uint8Array<ArrayBuffer>;
}

export interface Files {
  /** What to call this place in messages: a path, an address. */
  readonly name: string;
  /** Is there such a file? */
  has(path: string, options?: { readonly signal?: AbortSignal }): Promise<boolean>;
  /** Size in bytes. Throws a CheckpointError when there is no such file. */
  size(path: string, options?: { readonly signal?: AbortSignal }): Promise<number>;
  /**
   * Exactly the bytes start … end-1, in memory of their own or in that of `into`. Fewer bytes than asked for are an error, not a
   * short result.
   */
  read(path: string, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** The weights of this place, where they do not lie in safetensors files under their usual names. */
  weights?(options?: { readonly signal?: AbortSignal }): Promise<Contents>;
  /** Waits until everything that was read is known to be what it should be. Throws a CheckpointError if it is not. */
  verified?(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** Throws unless a path is relative, has `/` between its parts, and stays inside its place. */
export function checkPath(path: string): void {
  const parts = path.split('/');
  // Backslash and colon are separators, drives, streams or schemes somewhere.
  const bad = /[\\:\0?#]/.test(path) || parts.some((part) => part === '' || part === '.' || part === '..');
  if (bad)
    throw new CheckpointError(
      `files: not a path inside the model: ${quoted(path)}; expected names joined by "/", without ".."`,
    );
}

/** Throws unless 0 ≤ start ≤ end ≤ size, all whole numbers. */
export function checkRange(path: string, start: number, end: number, size: number): void {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start > end || end > size)
    throw new CheckpointError(`files: bytes ${start} to ${end} of ${path} do not exist; it has ${size} bytes`);
}

/** Memory for so many bytes: the beginning of what was given, else new. */
export function room(length: number, into: Uint8Array<ArrayBuffer> | undefined): Uint8Array<ArrayBuffer> {
  if (!into) return new Uint8Array(length);
  if (into.length < length)
    throw new CheckpointError(`files: ${length} bytes do not fit into the ${into.length} that were given`);
  return into.subarray(0, length);
}

/** Bytes that are there already, as `read` gives them. */
export function copied(
  bytes: Uint8Array<ArrayBuffer>,
  into: Uint8Array<ArrayBuffer> | undefined,
): Uint8Array<ArrayBuffer> {
  const out = room(bytes.length, into);
  out.set(bytes);
  return out;
}
