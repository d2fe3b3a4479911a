// Bytes that come piece by piece: the body of an answer, which need not end where it said, or at all, and the contents of a blob.
import { room } from './files.ts';

/** All bytes of a body, in `into` where that is given; undefined, and the transfer given up, where there are more than `limit`. */
export async function takeBody(
  { body }: Response,
  limit: number,
  into?: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const out = into && room(limit, into);
  if (!body) return new Uint8Array(0);
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (length + value.length > limit) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    if (out) out.set(value, length);
    else pieces.push(value);
    length += value.length;
  }
  return out ? out.subarray(0, length) : joined(pieces, length);
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** What passes between a blob and memory that was given. */
const PIECE_BYTES = 1 << 20;

/** The contents of a blob, in `into` where that is given: then through a piece of memory that is used again, where streams can do that. */
export async function blobBytes(blob: Blob, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (!into) return new Uint8Array(await blob.arrayBuffer());
  const out = room(blob.size, into);
  let length = 0;
  const take = (value: Uint8Array): void => {
    out.set(value, length);
    length += value.length;
  };
  const stream = blob.stream();
  const reader = byteReader(stream);
  if (reader)
    for (let piece = new Uint8Array(Math.min(PIECE_BYTES, blob.size)); length < blob.size;) {
      const { done, value } = await reader.read(piece);
      if (value) take(value);
      if (done) break;
      piece = new Uint8Array(value.buffer);
    }
  else
    for (const plain = stream.getReader(); ;) {
      const { done, value } = await plain.read();
      if (done) break;
      take(value);
    }
  return out.subarray(0, length);
}

/** Undefined in browsers whose blobs give pieces of their own alone. */
function byteReader(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: 'byob' });
  } catch {
    return undefined;
  }
}
