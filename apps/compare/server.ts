// A static server for the built page, with the headers that let it have threads.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import sirv from 'sirv';

/** With these a page is cross-origin isolated: it may share memory between threads. */
export const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export interface ServeOptions {
  /** The built page. */
  readonly folder: string;
  /** More folders, by the path they are served under. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** 0 for any that is free. */
  readonly port: number;
  readonly isolated: boolean;
}

export interface PageServer extends AsyncDisposable {
  readonly url: string;
}

/** Serve the page to this machine. Rejects when the port is taken. */
export async function servePage({ folder, mounts = {}, port, isolated }: ServeOptions): Promise<PageServer> {
  // `dev` reads files when they are asked for, so that building again needs no restart.
  const page = sirv(folder, { dev: true });
  const folders = Object.entries(mounts).map(([path, mounted]) => ({
    path: `${path}/`,
    serve: sirv(mounted, { dev: true }),
  }));
  const server = createServer((request, response) => {
    if (isolated) for (const [name, value] of Object.entries(isolation)) response.setHeader(name, value);
    const missing = (): void => {
      response.statusCode = 404;
      response.end(`There is no ${request.url} here.\n`);
    };
    const mount = folders.find(({ path }) => request.url?.startsWith(path));
    if (!mount) return page(request, response, missing);
    request.url = request.url!.slice(mount.path.length - 1);
    mount.serve(request, response, missing);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
