// A model on a hub as a place of files, through a cache: what is there is not fetched again, what is fetched is kept, and can be
// read while it comes.
import { CheckpointError } from '../errors.ts';
import { checkPath, checkRange, type Files, type ReadOptions } from '../files/files.ts';
import { Shared } from '../shared.ts';
import { checkRepo } from './address.ts';
import { browserCache } from './browser-cache.ts';
import type { CachedBlob, HubCache } from './cache.ts';
import { diskCache } from './disk-cache.ts';
import { Download, type DownloadOptions, type RemoteFile } from './download.ts';
import { NOT_FOUND, Remote, Unreachable } from './remote.ts';

export interface HubOptions {
  /** A branch, tag or commit. Default: main. */
  readonly revision?: string;
  /** Sent to the endpoint alone. Default: HF_TOKEN. */
  readonly token?: string;
  /** Default: HF_ENDPOINT, else https://huggingface.co. */
  readonly endpoint?: string;
  /** Default: on disk where huggingface_hub keeps its own, or the browser's storage. */
  readonly cache?: HubCache;
  /** Use the cache alone. Default: HF_HUB_OFFLINE. */
  readonly offline?: boolean;
  /** Used in place of the global `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** How often in a row a transfer may bring nothing before it fails. Default: 5. */
  readonly attempts?: number;
  /** Wait before the second of them, in milliseconds; doubles. Default: 500. */
  readonly retryMs?: number;
  /** A transfer without a byte for so long is broken. Default: 30,000. */
  readonly stallMs?: number;
}

const environment = (name: string): string | undefined => globalThis.process?.env?.[name] || undefined;

/** The cache that is used where none is given. */
export async function defaultCache(): Promise<HubCache> {
  return typeof globalThis.process?.getBuiltinModule === 'function' ? diskCache() : browserCache();
}

/** The files of `org/name`. Nothing is asked for before something is read. */
export function hub(repo: string, options: HubOptions = {}): Files {
  checkRepo(repo);
  const {
    revision = 'main',
    token = environment('HF_TOKEN'),
    endpoint = environment('HF_ENDPOINT') ?? 'https://huggingface.co',
    offline = isOn(environment('HF_HUB_OFFLINE')),
    fetch = globalThis.fetch.bind(globalThis),
    attempts = 5,
    retryMs = 500,
    stallMs = 30_000,
  } = options;
  checkPath(revision);
  const base = endpoint.replace(/\/+$/, '');
  const remote = new Remote({ repo, endpoint: base, token: token || undefined, fetch });
  const place = new Place({ repo, revision, remote, offline, attempts, retryMs, stallMs }, options.cache);
  const name = `${base}/${repo}` + (revision === 'main' ? '' : `@${revision}`);

  const missing = (path: string): CheckpointError =>
    new CheckpointError(
      `hub: ${path} is missing in ${name}` +
        (path === 'config.json' ? `; if it has GGUF files, name one of them: ${repo}/FILE.gguf` : ''),
    );
  const find = async (path: string, signal?: AbortSignal): Promise<Entry> => {
    checkPath(path);
    return (await place.entry(path, signal)) ?? Promise.reject(missing(path));
  };
  const size = async (path: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number> => {
    const entry = await find(path, signal);
    if (entry.blob) return entry.blob.size;
    return entry.size ?? (await place.whole(path, entry, signal)).size;
  };
  return {
    name,
    async has(path, { signal } = {}) {
      checkPath(path);
      return (await place.entry(path, signal)) !== undefined;
    },
    size,
    async read(path, options: ReadOptions = {}) {
      const { start = 0, end, signal, into } = options;
      signal?.throwIfAborted();
      const total = await size(path, signal && { signal });
      const stop = end ?? total;
      checkRange(`${name}/${path}`, start, stop, total);
      const entry = await find(path, signal);
      if (start === stop) return new Uint8Array(0);
      if (entry.blob) return entry.blob.read(start, stop, into);
      const bytes = await entry.download!.read(start, stop, options);
      if (stop === total) await place.whole(path, entry, signal);
      return bytes;
    },
    verified: ({ signal } = {}) => place.verified(signal),
  };
}

const isOn = (value: string | undefined): boolean =>
  value !== undefined && !['0', 'false', 'no', 'off'].includes(value.toLowerCase());

/** A file that exists: in the cache, or on its way there. */
interface Entry {
  blob?: CachedBlob;
  readonly download?: Download;
  readonly size?: number | undefined;
  readonly link?: { readonly commit: string; readonly id: string };
}

interface PlaceOptions extends Pick<DownloadOptions, 'repo' | 'attempts' | 'retryMs' | 'stallMs'> {
  readonly revision: string;
  readonly remote: Remote;
  readonly offline: boolean;
}

/** The files of one revision, each looked up once. */
class Place {
  readonly #options: PlaceOptions;
  readonly #entries = new Map<string, Shared<Entry | undefined>>();
  #cache: Promise<HubCache> | undefined;
  #commit: string | undefined;
  /** The hub did not answer: what the cache has must do. */
  #offline: boolean;
  /** The first question settles the commit; others wait for it. */
  #first: Promise<unknown> = Promise.resolve();

  constructor(options: PlaceOptions, cache: HubCache | undefined) {
    this.#options = options;
    this.#offline = options.offline;
    if (cache) this.#cache = Promise.resolve(cache);
    if (/^[0-9a-f]{40}$/.test(options.revision)) this.#commit = options.revision;
  }

  entry(path: string, signal?: AbortSignal): Promise<Entry | undefined> {
    const known = this.#entries.get(path) ?? new Shared((stop) => this.#inOrder(path, stop));
    this.#entries.set(path, known);
    return known.get(signal);
  }

  #inOrder(path: string, signal: AbortSignal): Promise<Entry | undefined> {
    if (this.#commit) return this.#look(path, signal);
    const looked = this.#first.then(() => {
      signal.throwIfAborted();
      return this.#look(path, signal);
    });
    this.#first = looked.catch(() => {});
    return looked;
  }

  /** The whole of a file, kept under its name. */
  async whole(path: string, entry: Entry, signal?: AbortSignal): Promise<CachedBlob> {
    if (entry.blob) return entry.blob;
    const blob = await entry.download!.whole(signal);
    const { commit, id } = entry.link!;
    const cache = await this.#openCache();
    await cache.link(this.#options.repo, commit, path, id);
    return (entry.blob = (await cache.find(this.#options.repo, commit, path)) ?? blob);
  }

  async verified(signal?: AbortSignal): Promise<void> {
    for (const [path, { value: entry }] of this.#entries)
      if (entry?.download?.begun && !entry.blob) await this.whole(path, entry, signal);
  }

  #openCache(): Promise<HubCache> {
    return (this.#cache ??= defaultCache());
  }

  async #look(path: string, signal?: AbortSignal): Promise<Entry | undefined> {
    const { repo, revision, remote } = this.#options;
    const cache = await this.#openCache();
    if (this.#commit) {
      const known = await this.#known(cache, path);
      if (known !== undefined) return known || undefined;
    }
    if (this.#offline) return this.#fromCache(cache, path, `the hub is not asked`);
    try {
      const { file, commit } = await remote.describe(this.#commit ?? revision, path, signal);
      if (!this.#commit && commit !== undefined && /^[0-9a-f]{40}$/.test(commit)) {
        this.#commit = commit;
        await cache.setCommit(repo, revision, commit);
        const known = await this.#known(cache, path);
        if (known !== undefined) return known || undefined;
      }
      if (file !== NOT_FOUND) return this.#download(cache, path, file);
      if (this.#commit) await cache.setAbsent(repo, this.#commit, path);
      return undefined;
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      this.#offline = true;
      return this.#fromCache(cache, path, error.message);
    }
  }

  /** What the cache knows of a file of the commit: it, that there is none (false), or nothing. */
  async #known(cache: HubCache, path: string): Promise<Entry | false | undefined> {
    const { repo } = this.#options;
    const blob = await cache.find(repo, this.#commit!, path);
    if (blob) return { blob };
    return (await cache.isAbsent(repo, this.#commit!, path)) ? false : undefined;
  }

  async #fromCache(cache: HubCache, path: string, why: string): Promise<Entry | undefined> {
    const { repo, revision } = this.#options;
    this.#commit ??= await cache.commitOf(repo, revision);
    if (!this.#commit)
      throw new CheckpointError(`hub: ${repo} is not in the cache (${cache.name}), and ${why.replace(/^hub: /, '')}`);
    const blob = await cache.find(repo, this.#commit, path);
    return blob && { blob };
  }

  async #download(cache: HubCache, path: string, file: RemoteFile): Promise<Entry> {
    const { repo, remote, revision, ...rest } = this.#options;
    const link = { commit: this.#commit ?? revision, id: file.id };
    const there = await cache.blob(repo, file.id);
    if (there) {
      // Another commit has the same file.
      await cache.link(repo, link.commit, path, file.id);
      return { blob: there };
    }
    // The commit, not the branch: all files are of one.
    const url = this.#commit ? remote.url(this.#commit, path) : file.url;
    return {
      size: file.size,
      link,
      download: new Download({ ...file, url }, { ...rest, cache, repo, request: remote.request }),
    };
  }
}
