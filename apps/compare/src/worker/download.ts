// Fetching with a count of the bytes that have arrived, and of those that will.
import type { HttpOptions } from '@transept/checkpoint';
import type { Download } from '../protocol.ts';

/** A `fetch` that reports on everything that goes through it. A file counts from when its size is first known. */
export function countingFetch(report: (download: Download) => void): NonNullable<HttpOptions['fetch']> {
  const sizes = new Map<string, number>();
  let bytes = 0;
  const tell = (): void =>
    report({
      bytes,
      totalBytes: Math.max(
        bytes,
        [...sizes.values()].reduce((a, b) => a + b, 0),
      ),
    });

  return async (url, init) => {
    const response = await fetch(url, init);
    const size = sizeOf(response);
    if (response.ok && size !== undefined) sizes.set(url, size);
    if (!response.body || !response.ok) return response;
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        tell();
        controller.enqueue(chunk);
      },
    });
    return new Response(response.body.pipeThrough(counter), response);
  };
}

/** Size of the whole file that a response is from, where it says so. */
function sizeOf({ headers }: Response): number | undefined {
  const total = /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] ?? headers.get('content-length');
  return total === null || total === undefined ? undefined : Number(total);
}
