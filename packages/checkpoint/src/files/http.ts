// Files under a web address, by range requests. Of a server that ignores ranges a small file is fetched once and kept, a large one
// read from its beginning.
import { CheckpointError } from '../errors.ts';
import { Shared } from '../shared.ts';
import { takeBody } from './body.ts';
import { checkPath, checkRange, copied, type Files, type ReadOptions } from './files.ts';
import { Sequential } from './sequential.ts';
import { Versions } from './version.ts';

/** Larger files are not kept where ranges are ignored. */
const KEPT_BYTES = 16 << 20;
/** No more is taken of a file whose size the server does not tell. */
const UNANNOUNCED_BYTES = 128 << 20;

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
  const whole = new Map<string, Shared<Uint8Array<ArrayBuffer>>>();
  const sequential = new Map<string, Sequential>();
  const versions = new Versions();

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
  /** The body, undefined if it is longer than `limit`, or the reason why the transfer broke off. */
  const body = async (
    path: string,
    response: Response,
    limit: number,
    { signal, into }: Pick<ReadOptions, 'signal' | 'into'>,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    try {
      return await takeBody(response, limit, into);
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new CheckpointError(`http: the transfer of ${url(path)} broke off: ${reason(cause)}`, { cause });
    }
  };
  /** An answer of a file, or of a part of it. Of one that was changed in between nothing is known any more. */
  const get = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await request(path, init);
    try {
      versions.check(url(path), response);
    } catch (error) {
      versions.forget(url(path));
      for (const known of [sizes, sequential]) known.delete(path);
      await response.body?.cancel();
      throw error;
    }
    return response;
  };
  const fromStart = async (path: string, signal: AbortSignal): Promise<Response> => {
    const response = await get(path, { signal });
    if (response.status === 200) return response;
    await response.body?.cancel();
    throw refused(path, response);
  };
  const slice = (
    path: string,
    bytes: Uint8Array<ArrayBuffer>,
    { start = 0, end = bytes.length, into }: ReadOptions,
  ): Uint8Array<ArrayBuffer> => {
    checkRange(url(path), start, end, bytes.length);
    return copied(bytes.subarray(start, end), into);
  };
  /** The whole file, of an answer that has it. */
  const all = async (
    path: string,
    response: Response,
    options: Pick<ReadOptions, 'signal' | 'into'>,
  ): Promise<Uint8Array<ArrayBuffer>> => {
    const announced = lengthOf(response);
    const limit = sizes.get(path) ?? announced;
    const bytes = await body(path, response, limit ?? UNANNOUNCED_BYTES, options);
    if (!bytes)
      throw new CheckpointError(
        limit === undefined
          ? `http: ${url(path)} gave more than ${UNANNOUNCED_BYTES} bytes without a content-length; ` +
              `larger files need one, or a server that answers ranges`
          : `http: ${url(path)} gave more than the ${limit} bytes that it announced`,
      );
    if (announced !== undefined && announced !== bytes.length)
      throw new CheckpointError(
        `http: ${url(path)} gave ${bytes.length} of ${announced} bytes; the transfer was cut short`,
      );
    sizes.set(path, bytes.length);
    return bytes;
  };

  const size = async (path: string, { signal }: ReadOptions = {}): Promise<number> => {
    const known = sizes.get(path);
    if (known !== undefined) return known;
    const head = await request(path, { method: 'HEAD', ...(signal && { signal }) });
    if (head.status === 404 || head.status === 410) throw refused(path, head);
    const length = lengthOf(head);
    if (head.ok && length) {
      sizes.set(path, length);
      return length;
    }
    // No HEAD, or one that says nothing or 0: the answer to a request for one byte tells the size as well.
    try {
      await read(path, { start: 0, end: 1, ...(signal && { signal }) });
    } catch (error) {
      if (sizes.get(path) !== 0) throw error;
    }
    return sizes.get(path)!;
  };

  const read = async (path: string, options: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> => {
    const { start = 0, end, signal } = options;
    const kept = whole.get(path);
    if (kept) return slice(path, await kept.get(signal), options);
    const known = sizes.get(path);
    if (known !== undefined) {
      checkRange(url(path), start, end ?? known, known);
      if (start === (end ?? known)) return new Uint8Array(0);
      const inOrder = sequential.get(path);
      if (inOrder) return inOrder.read(start, end ?? known, options);
    }
    const ranged = start > 0 || end !== undefined;
    // The caller's signal ends the transfer, as long as it is the caller's alone.
    const transfer = new AbortController();
    const stop = (): void => transfer.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      const response = await get(path, {
        ...(ranged && { headers: { range: `bytes=${start}-${end === undefined ? '' : end - 1}` } }),
        signal: transfer.signal,
      });
      if (!ranged || response.status !== 200) return await part(path, response, options);
      const announced = lengthOf(response) ?? 0;
      if (announced > KEPT_BYTES) {
        await response.body?.cancel();
        sizes.set(path, announced);
        sequential.set(path, new Sequential(url(path), (given) => fromStart(path, given)));
        return await read(path, { ...options, start, end: end ?? announced });
      }
      whole.set(path, keep(path, response, transfer));
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    return slice(path, await whole.get(path)!.get(signal), options);
  };

  /** A file that comes as a whole, for all who want parts of it. */
  const keep = (path: string, response: Response, transfer: AbortController): Shared<Uint8Array<ArrayBuffer>> => {
    let coming: Response | undefined = response;
    return new Shared(async (signal) => {
      const now = coming ?? (await fromStart(path, signal));
      if (coming) signal.addEventListener('abort', () => transfer.abort(signal.reason), { once: true });
      coming = undefined;
      return all(path, now, { signal });
    });
  };

  /** What was asked for, of an answer that has only that. */
  const part = async (path: string, response: Response, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>> => {
    const { start = 0, end } = options;
    const known = sizes.get(path);
    if (response.status === 200) return all(path, response, options);
    if (response.status === 206) {
      const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
      if (range && Number(range[1]) !== start) {
        await response.body?.cancel();
        throw new CheckpointError(
          `http: ${url(path)} was answered with bytes from ${range[1]} on; asked for bytes from ${start} on`,
        );
      }
      const total = range && range[3] !== '*' ? Number(range[3]) : undefined;
      if (total !== undefined && known !== undefined && total !== known) {
        await response.body?.cancel();
        throw new CheckpointError(
          `http: ${url(path)} had ${known} bytes and now has ${total}; it was changed while it was read: load it again`,
        );
      }
      const until = end ?? total ?? known;
      const limit = until === undefined ? UNANNOUNCED_BYTES : until - start;
      const bytes = await body(path, response, limit, options);
      if (!bytes) throw new CheckpointError(`http: ${url(path)} gave more than ${limit} bytes from ${start} on`);
      if (total !== undefined) sizes.set(path, total);
      const expected = (until ?? start + bytes.length) - start;
      if (bytes.length !== expected)
        throw new CheckpointError(
          `http: ${url(path)} gave ${bytes.length} of the ${expected} bytes from ${start} on` +
            (total === undefined ? '' : `; the file has ${total} bytes`),
        );
      if (total === undefined && !sizes.has(path) && end === undefined) sizes.set(path, start + bytes.length);
      return bytes;
    }
    await response.body?.cancel();
    if (response.status === 416) {
      const range = response.headers.get('content-range');
      if (range === 'bytes */0') sizes.set(path, 0);
      throw new CheckpointError(
        `http: ${url(path)} has no bytes ${start} to ${end ?? 'its end'} (${range ?? 'size unknown'})`,
      );
    }
    throw refused(path, response);
  };

  return {
    name: root,
    size,
    read,
    async has(path, { signal } = {}) {
      if (sizes.has(path)) return true;
      const head = await request(path, { method: 'HEAD', ...(signal && { signal }) });
      const length = lengthOf(head);
      if (head.ok && length) sizes.set(path, length);
      if (head.ok) return true;
      if (head.status === 404 || head.status === 410) return false;
      // Some servers refuse HEAD (405, 403 on signed addresses) and answer GET.
      const one = await request(path, { headers: { range: 'bytes=0-0' }, ...(signal && { signal }) });
      await one.body?.cancel();
      return one.ok || one.status === 416;
    },
  };
}

/** What a file's size is said to be; of a body that is compressed on the way `content-length` counts other bytes. */
function lengthOf({ headers }: Response): number | undefined {
  const length = headers.get('content-length');
  const encoded = (headers.get('content-encoding') ?? 'identity') !== 'identity';
  return length !== null && /^\d+$/.test(length) && !encoded ? Number(length) : undefined;
}

function reason(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return inner instanceof Error ? inner.message : String(inner);
}
