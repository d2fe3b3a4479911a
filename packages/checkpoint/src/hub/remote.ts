// What a hub answers: where the files of a revision are, how large, and which commit it is. The protocol is that of huggingface.co:
// /org/name/resolve/REVISION/PATH, redirects to where large files lie, hashes in `x-linked-etag` or `etag`.
import { CheckpointError } from '../errors.ts';
import { takeBody } from '../files/body.ts';
import { isObject } from '../json.ts';
import type { RemoteFile } from './download.ts';

export interface RemoteOptions {
  readonly repo: string;
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** What a hub says about one model is the list of its files at most: some hundred bytes for each. */
const MAX_ANSWER_BYTES = 16 << 20;

/** There is no such file in the repository; the repository and the revision are there. */
export const NOT_FOUND = Symbol('not found');

export interface Description {
  readonly file: RemoteFile | typeof NOT_FOUND;
  readonly commit: string | undefined;
}

export class Remote {
  readonly #options: RemoteOptions;

  constructor(options: RemoteOptions) {
    this.#options = options;
  }

  /** A request with the token, which goes to the hub and to no other host. Throws a CheckpointError where it cannot be made. */
  request = async (url: string, init: RequestInit): Promise<Response> => {
    const { fetch, token, endpoint } = this.#options;
    const own = new URL(url).origin === new URL(endpoint).origin;
    const headers: Record<string, string> = {
      // The size of what is compressed on the way is not the file's. Browsers send what they like.
      'accept-encoding': 'identity',
      ...(init.headers as Record<string, string>),
      ...(own && token !== undefined && { authorization: `Bearer ${token}` }),
    };
    try {
      return await fetch(url, { ...init, headers });
    } catch (cause) {
      init.signal?.throwIfAborted();
      const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
      throw new Unreachable(
        `hub: ${url} cannot be reached: ${inner instanceof Error ? inner.message : String(inner)}`,
        { cause },
      );
    }
  };

  url(revision: string, path: string): string {
    const { endpoint, repo } = this.#options;
    return `${endpoint}/${repo}/resolve/${encodeURIComponent(revision)}/${path.split('/').map(encodeURIComponent).join('/')}`;
  }

  /** Ask about one file. Throws a CheckpointError that says what is missing: the model, the revision, or the right to read it. */
  async describe(revision: string, path: string, signal?: AbortSignal): Promise<Description> {
    const address = this.url(revision, path);
    const response = await this.#head(address, signal);
    if (!response) return (await this.#ask(revision, path, signal)) ?? this.#follow(revision, path, signal);
    return this.#read(response, revision, path);
  }

  async #read(response: Response, revision: string, path: string): Promise<Description> {
    await response.body?.cancel();
    const header = (name: string): string | undefined => response.headers.get(name) ?? undefined;
    const commit = header('x-repo-commit');
    const redirected = response.status >= 300 && response.status < 400;
    if (!response.ok && !redirected) {
      this.#refuse(response, revision, this.url(revision, path));
      return { file: NOT_FOUND, commit };
    }
    const linked = tagOf(header('x-linked-etag'));
    const length =
      header('x-linked-size') ?? (redirected || isEncoded(response) ? undefined : header('content-length'));
    const size = length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
    return this.#file(revision, path, {
      commit,
      size,
      hash: linked ?? tagOf(header('etag')),
      isSha256: linked !== undefined,
    });
  }

  /** `hash` is what the hub calls the contents; only of large files it is their SHA-256. */
  #file(
    revision: string,
    path: string,
    {
      commit,
      size,
      hash,
      isSha256,
    }: { commit: string | undefined; size: number | undefined; hash: string | undefined; isSha256: boolean },
  ): Description {
    const known = hash !== undefined && /^[0-9a-f]{40,64}$/.test(hash);
    return {
      commit,
      file: {
        url: this.url(revision, path),
        size: size !== undefined && Number.isSafeInteger(size) && size >= 0 ? size : undefined,
        sha256: isSha256 && known && hash.length === 64 ? hash : undefined,
        id: known ? hash : `${commit ?? revision}-${path}`.replaceAll(/[^\w.-]/g, '_'),
      },
    };
  }

  /**
   * The hub's own answer, before it sends on to where the bytes lie: only it has the hash and the commit. A model that was renamed
   * is another address of the hub. Undefined in browsers, which do not show redirects.
   */
  async #head(address: string, signal?: AbortSignal): Promise<Response | undefined> {
    const init: RequestInit = { method: 'HEAD', redirect: 'manual', ...(signal && { signal }) };
    let url = address;
    for (let hops = 0; hops < 5; hops++) {
      const response = await this.request(url, init);
      if (response.type === 'opaqueredirect') return undefined;
      const location = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || location === null) return response;
      const next = new URL(location, url);
      if (next.origin !== new URL(url).origin || response.headers.has('x-linked-etag')) return response;
      url = next.href;
    }
    throw new CheckpointError(`hub: ${address} redirects in a circle`);
  }

  /** What the hub's interface for programs says of a file. Undefined where it has none. */
  async #ask(revision: string, path: string, signal?: AbortSignal): Promise<Description | undefined> {
    const { endpoint, repo } = this.#options;
    const at = `${endpoint}/api/models/${repo}`;
    const name = encodeURIComponent(revision);
    const json = async (url: string, init: RequestInit): Promise<unknown> => {
      const response = await this.request(url, { ...init, ...(signal && { signal }) });
      if (!response.ok) return void (await response.body?.cancel());
      const bytes = await takeBody(response, MAX_ANSWER_BYTES).catch((cause: unknown) => {
        signal?.throwIfAborted();
        throw new Unreachable(`hub: the answer of ${url} broke off: ${(cause as Error).message}`, { cause });
      });
      if (!bytes)
        throw new CheckpointError(`hub: ${url} gave more than ${MAX_ANSWER_BYTES} bytes about a model; that is no hub`);
      return parsed(bytes);
    };
    const headers = { 'content-type': 'application/json' };
    const found = await json(`${at}/paths-info/${name}`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ paths: [path] }),
    });
    if (!Array.isArray(found)) return undefined;
    const isCommit = /^[0-9a-f]{40}$/.test(revision);
    const head = isCommit ? { sha: revision } : await json(`${at}/revision/${name}`, {});
    const commit = isObject(head) && typeof head.sha === 'string' ? head.sha : undefined;
    const entry: unknown = found.find((each) => isObject(each) && each.path === path && each.type === 'file');
    if (!isObject(entry)) return { file: NOT_FOUND, commit };
    const large = isObject(entry.lfs) ? entry.lfs : undefined;
    const hash = large ? large.oid : entry.oid;
    return this.#file(revision, path, {
      commit,
      size: typeof entry.size === 'number' ? entry.size : undefined,
      hash: typeof hash === 'string' ? hash : undefined,
      isSha256: large !== undefined,
    });
  }

  /** The answer of where the bytes lie: better than none. */
  async #follow(revision: string, path: string, signal?: AbortSignal): Promise<Description> {
    const response = await this.request(this.url(revision, path), { method: 'HEAD', ...(signal && { signal }) });
    return this.#read(response, revision, path);
  }

  /** Throws unless it is only the file that is missing. */
  #refuse({ status, statusText, headers }: Response, revision: string, address: string): void {
    const { repo, endpoint, token } = this.#options;
    const code = headers.get('x-error-code');
    if (code === 'EntryNotFound') return;
    if (code === 'RevisionNotFound')
      throw new CheckpointError(
        `hub: ${repo} has no revision "${revision}" at ${endpoint}; expected a branch, tag or commit`,
      );
    if (code === 'GatedRepo' || status === 403)
      throw new CheckpointError(
        `hub: ${repo} is open only to those who were granted access at ${endpoint}/${repo}; give their token (HF_TOKEN)`,
      );
    if (code === 'RepoNotFound' || status === 401)
      throw new CheckpointError(
        `hub: there is no model ${repo} at ${endpoint}, or it is private` +
          (token === undefined ? ': then give a token (HF_TOKEN)' : ' and not open to the token that was given'),
      );
    if (status === 404) return;
    throw new Unreachable(`hub: ${address} was answered with status ${status} ${statusText}; expected 200`);
  }
}

/** The hub does not answer as it should now; what is in the cache can be used. */
export class Unreachable extends CheckpointError {}

const tagOf = (etag: string | undefined): string | undefined => etag?.replace(/^W\//, '').replaceAll('"', '');

const isEncoded = (response: Response): boolean =>
  (response.headers.get('content-encoding') ?? 'identity') !== 'identity';

/** Undefined for what is no JSON: the answer of something that has no such interface. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
