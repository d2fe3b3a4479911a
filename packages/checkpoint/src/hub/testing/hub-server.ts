// A hub in a test: node:http speaking the protocol of huggingface.co, with every way in which a transfer can go wrong.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does wrong; each function may answer by itself and then returns true. */
export interface Faults {
  /** Answers before everything else. */
  answer?(request: IncomingMessage, response: ServerResponse): boolean;
  /** Ranges are ignored. */
  noRanges?: boolean;
  /** The connection breaks after so many bytes of a body; each entry once, then all is well. */
  breaks?: number[];
  /** How long the connection stays open after those bytes. Default: 5. */
  breakMs?: number;
  /** The same, but the body ends as if it were whole, without a length. */
  ends?: number[];
  /** Sent in place of the file's bytes. */
  instead?: Uint8Array;
  /** Bytes come and then nothing more. */
  stall?: boolean;
  /** Large files have no hash. */
  noHash?: boolean;
  /** Sizes are not told. */
  noSize?: boolean;
}

export interface HubServer extends AsyncDisposable {
  readonly endpoint: string;
  /** `METHOD /path range` of every request. */
  readonly seen: string[];
  readonly faults: Faults;
  /** Files of the model; changed, they are another commit. */
  files: Readonly<Record<string, Uint8Array>>;
  commit: string;
  /** Token that is needed, if any. */
  token?: string;
}

/** Files from this size on lie elsewhere, and have a SHA-256. */
const LARGE = 1000;

export async function hubServer(repo: string, files: Readonly<Record<string, Uint8Array>>): Promise<HubServer> {
  const server = createServer((request, response) => {
    hub.seen.push(`${request.method} ${request.url} ${request.headers.range ?? ''}`.trim());
    if (hub.faults.answer?.(request, response)) return;
    const url = new URL(request.url!, 'http://hub');
    if (url.pathname.startsWith('/cdn/')) return cdn(request, response, decodeURIComponent(url.pathname.slice(5)));
    if (url.pathname.startsWith(`/api/models/${repo}/`)) return api(request, response, url.pathname.split('/').at(-2)!);
    const fail = (status: number, code: string): void =>
      void response.writeHead(status, { 'x-error-code': code, 'x-error-message': code }).end();
    const [, named, revision, path] = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname) ?? [];
    if (named !== repo) return fail(401, 'RepoNotFound');
    if (hub.token !== undefined && request.headers.authorization !== `Bearer ${hub.token}`)
      return fail(401, 'GatedRepo');
    if (revision !== 'main' && revision !== hub.commit) return fail(404, 'RevisionNotFound');
    response.setHeader('x-repo-commit', hub.commit);
    const body = hub.files[decodeURIComponent(path!)];
    if (!body) return fail(404, 'EntryNotFound');
    if (body.length < LARGE) {
      const sha1 = createHash('sha1').update(`blob ${body.length}\0`).update(body).digest('hex');
      response.setHeader('etag', `"${sha1}"`);
      return send(request, response, body);
    }
    response
      .writeHead(302, {
        ...(!hub.faults.noHash && { 'x-linked-etag': `"${createHash('sha256').update(body).digest('hex')}"` }),
        ...(!hub.faults.noSize && { 'x-linked-size': body.length }),
        // Another origin: localhost is not 127.0.0.1.
        location: `http://localhost:${(server.address() as AddressInfo).port}/cdn/${path}`,
      })
      .end();
  });

  /** The interface for programs, which pages use. */
  function api(request: IncomingMessage, response: ServerResponse, what: string): void {
    if (hub.faults.noHash) return void response.writeHead(404).end();
    if (what === 'revision') return void response.end(JSON.stringify({ sha: hub.commit }));
    let asked = '';
    request.on('data', (part: Buffer) => (asked += part.toString()));
    request.on('end', () => {
      const { paths } = JSON.parse(asked) as { paths: string[] };
      const found = paths.flatMap((path) => {
        const body = hub.files[path];
        if (!body) return [];
        const oid = createHash('sha256').update(body).digest('hex');
        return [
          { type: 'file', path, size: body.length, oid: 'f'.repeat(40), ...(body.length >= LARGE && { lfs: { oid } }) },
        ];
      });
      response.end(JSON.stringify(found));
    });
  }

  function cdn(request: IncomingMessage, response: ServerResponse, path: string): void {
    if (request.headers.authorization !== undefined) return void response.writeHead(400).end('the token went astray');
    send(request, response, hub.files[path]!);
  }

  function send(request: IncomingMessage, response: ServerResponse, file: Uint8Array): void {
    const { faults } = hub;
    const body = faults.instead ?? file;
    const range = faults.noRanges ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const start = range ? Number(range[1]) : 0;
    const end = range?.[2] ? Number(range[2]) + 1 : body.length;
    const part = body.subarray(start, end);
    if (range) response.statusCode = 206;
    if (range) response.setHeader('content-range', `bytes ${start}-${end - 1}/${body.length}`);
    if (request.method === 'HEAD') return void response.setHeader('content-length', part.length).end();
    const ends = faults.ends?.shift();
    if (ends !== undefined) return void response.end(part.subarray(0, ends));
    if (!faults.noSize) response.setHeader('content-length', part.length);
    const breaks = faults.breaks?.shift();
    if (breaks !== undefined && breaks < part.length) {
      response.write(part.subarray(0, breaks), () => setTimeout(() => response.destroy(), faults.breakMs ?? 5));
      return;
    }
    if (faults.stall) return void response.write(part.subarray(0, Math.floor(part.length / 2)));
    response.end(part);
  }

  const hub: HubServer = {
    endpoint: '',
    seen: [],
    faults: {},
    files,
    commit: '0123456789abcdef0123456789abcdef01234567',
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return Object.assign(hub, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
