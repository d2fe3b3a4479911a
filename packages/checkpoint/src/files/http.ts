// Files under a web address, by range requests. Of a server that ignores ranges a small file is fetched once and kept, a large one
// read from its beginning.
import { CheckpointError } from '../errors.ts';
import { checkPath, checkRange, type Files, type ReadOptions } from './files.ts';
import { Sequential } from './sequential.ts';

/** Larger files are not kept where ranges are ignored. */
const KEPT_BYTES = 16 << 20;

export interface HttpOptions {
  /** Used in place of the global `fetch`: a cache, a proxy, a test. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Sent with every request, for example `{ authorization: 'Bearer …' }`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The files below an address such as `https://example.org/models/marian-de-en`. */
export function http(
  base: string | URL,
  { fetch = globalThis.fetch.bind(globalThis), headers = {} }: HttpOptions = {},
): Files {
  const root = String(base).replace(/\/+$/, '');
  const sizes = new Map<string, number>();
  const whole = new Map<string, Promise<Blob>>();
  const sequential = new Map<string, Sequential>();

  const url = (path: string): string => {
    checkPath(path);
    return `${root}/${path.split('/').map(encodeURIComponent).join('/')}`;
  };
  const request = async (path: string, init: RequestInit): Promise<Response> => {
    init.signal?.throwIfAborted();
    try {
      return await fetch(url(path), { ...init, headers: { ...headers, ...(init.headers as Record<string, string>) } });
    } catch (cause) {
      if (init.signal?.aborted || cause instanceof CheckpointError) throw cause;
      throw new CheckpointError(`http: ${url(path)} cannot be reached: ${reason(cause)}`, { cause });
    }
  };
  const refused = (path: string, { status, statusText }: Response): CheckpointError =>
    new CheckpointError(
      status === 404 || status === 410
        ? `http: there is no ${url(path)} (status ${status})`
        : `http: ${url(path)} was answered with status ${status} ${statusText}; expected 200 or 206`,
    );
  /** The body, or the reason why the transfer broke off. */
  const body = async <T>(path: string, get: Promise<T>, signal?: AbortSignal): Promise<T> =>
    get.catch((cause) => {
      if (signal?.aborted) throw cause;
      throw new CheckpointError(`http: the transfer of ${url(path)} broke off: ${reason(cause)}`, { cause });
    });
  const fromStart = async (path: string, signal: AbortSignal): Promise<Response> => {
    const response = await request(path, { signal });
    if (response.status === 200) return response;
    await response.body?.cancel();
    throw refused(path, response);
  };
  const slice = async (path: string, blob: Blob, start: number, end = blob.size): Promise<Uint8Array<ArrayBuffer>> => {
    checkRange(url(path), start, end, blob.size);
    return new Uint8Array(await blob.slice(start, end).arrayBuffer());
  };

  const size = async (path: string, { signal }: ReadOptions = {}): Promise<number> => {
    const known = sizes.get(path);
    if (known !== undefined) return known;
    const head = await request(path, { method: 'HEAD', ...(signal && { signal }) });
    if (head.status === 404 || head.status === 410) throw refused(path, head);
    const length = head.headers.get('content-length');
    if (head.ok && length !== null && /^\d+$/.test(length) && !encoded(head)) {
      sizes.set(path, Number(length));
      return Number(length);
    }
    // No HEAD, or one that says nothing: the answer to a request for one byte tells the size as well.
    await read(path, { start: 0, end: 1, ...(signal && { signal }) });
    return sizes.get(path)!;
  };

  const read = async (path: string, { start = 0, end, signal }: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> => {
    const kept = whole.get(path);
    if (kept) return slice(path, await kept, start, end);
    const known = sizes.get(path);
    if (known !== undefined) {
      checkRange(url(path), start, end ?? known, known);
      if (start === (end ?? known)) return new Uint8Array(0);
      const inOrder = sequential.get(path);
      if (inOrder) return inOrder.read(start, end ?? known, signal);
    }
    const ranged = start > 0 || end !== undefined;
    const response = await request(path, {
      ...(ranged && { headers: { range: `bytes=${start}-${end === undefined ? '' : end - 1}` } }),
      ...(signal && { signal }),
    });
    if (response.status === 206) {
      const bytes = new Uint8Array(await body(path, response.arrayBuffer(), signal));
      const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
      if (range && Number(range[1]) !== start)
        throw new CheckpointError(
          `http: ${url(path)} was answered with bytes from ${range[1]} on; asked for bytes from ${start} on`,
        );
      const total = range && range[3] !== '*' ? Number(range[3]) : undefined;
      if (total !== undefined) sizes.set(path, total);
      const expected = (end ?? total ?? start + bytes.length) - start;
      if (bytes.length !== expected)
        throw new CheckpointError(
          `http: ${url(path)} gave ${bytes.length} of the ${expected} bytes from ${start} on` +
            (total === undefined ? '' : `; the file has ${total} bytes`),
        );
      if (total === undefined && !sizes.has(path) && end === undefined) sizes.set(path, start + bytes.length);
      return bytes;
    }
    if (response.status !== 200) {
      await response.body?.cancel();
      if (response.status === 416)
        throw new CheckpointError(
          `http: ${url(path)} has no bytes ${start} to ${end ?? 'its end'} (${response.headers.get('content-range') ?? 'size unknown'})`,
        );
      throw refused(path, response);
    }
    const announced = encoded(response) ? NaN : Number(response.headers.get('content-length') ?? NaN);
    if (ranged && announced > KEPT_BYTES) {
      await response.body?.cancel();
      sizes.set(path, announced);
      sequential.set(path, new Sequential(url(path), (stop) => fromStart(path, stop)));
      return read(path, { start, end: end ?? announced, ...(signal && { signal }) });
    }
    const all = body(path, response.blob(), signal);
    if (ranged) whole.set(path, all);
    try {
      const blob = await all;
      const length = response.headers.get('content-length');
      if (length !== null && !encoded(response) && Number(length) !== blob.size)
        throw new CheckpointError(
          `http: ${url(path)} gave ${blob.size} of ${length} bytes; the transfer was cut short`,
        );
      sizes.set(path, blob.size);
      return await slice(path, blob, start, end);
    } catch (error) {
      whole.delete(path);
      throw error;
    }
  };

  return {
    name: root,
    size,
    read,
    async has(path, { signal } = {}) {
      if (sizes.has(path)) return true;
      const head = await request(path, { method: 'HEAD', ...(signal && { signal }) });
      if (head.ok) return true;
      if (head.status === 404 || head.status === 410) return false;
      // Some servers refuse HEAD (405, 403 on signed addresses) and answer GET.
      const get = await request(path, { headers: { range: 'bytes=0-0' }, ...(signal && { signal }) });
      await get.body?.cancel();
      return get.ok || get.status === 416;
    },
  };
}

/** Was the body compressed on the way? Then `content-length` counts other bytes. */
const encoded = (response: Response): boolean =>
  (response.headers.get('content-encoding') ?? 'identity') !== 'identity';

function reason(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return inner instanceof Error ? inner.message : String(inner);
}
