// From what people type to a place of files: a folder, a GGUF file, a web address, or the name of a model on a hub. What only some of
// them need is loaded when it is needed.
import { CheckpointError, quoted } from '../errors.ts';
import { parseHubAddress } from '../hub/address.ts';
import type { HubOptions } from '../hub/hub.ts';
import type { Files } from './files.ts';
import { folder } from './folder.ts';
import { http } from './http.ts';

export interface OpenFilesOptions extends HubOptions {
  readonly signal?: AbortSignal;
}

/**
 * - a folder that exists, or a GGUF file in one
 * - `https://…`, the address of a folder or of a GGUF file
 * - `org/name`, `org/name@revision`, `org/name/file.gguf`: a model on a hub, where there is no such folder
 *
 * Reads nothing but the header of a GGUF file. Throws a CheckpointError.
 */
export async function openFiles(where: string | URL | Files, options: OpenFilesOptions = {}): Promise<Files> {
  if (typeof where === 'object' && !(where instanceof URL)) return where;
  const text = where instanceof URL && where.protocol === 'file:' ? pathOf(where) : String(where);
  const request = options.fetch && { fetch: options.fetch };
  if (/^https?:/.test(text)) return withFile(...split(text), (place) => http(place, request), options);
  const cause = await missing(text);
  if (cause === undefined) return withFile(...split(text), folder, options);
  const address = parseHubAddress(text);
  if (address) {
    const { repo, revision, file } = address;
    const { hub } = await import('../hub/hub.ts');
    const files = hub(repo, { ...options, ...(revision !== undefined && { revision }) });
    if (file === undefined) return hinted(files, text);
    if (file.endsWith('.gguf')) return openGguf(hinted(files, text), file, options);
    throw new CheckpointError(
      `openFiles: ${quoted(text)} is no folder, and as a name on a hub it has too many parts; expected org/name or org/name/file.gguf`,
    );
  }
  throw new CheckpointError(
    `openFiles: no such ${/\.gguf$/i.test(text) ? 'file' : 'folder'}: ${text}; expected the folder of a model, a .gguf file, an address, or org/name on a hub`,
    { cause },
  );
}

/** Windows has paths that begin with a drive. */
const pathOf = (address: URL): string =>
  globalThis.process?.getBuiltinModule?.('node:url')?.fileURLToPath(address) ?? decodeURIComponent(address.pathname);

/** Folder and file name of a GGUF file; of everything else, the folder alone. */
function split(text: string): [place: string, file: string | undefined] {
  if (!/\.gguf$/i.test(text)) return [text, undefined];
  const cut = Math.max(text.lastIndexOf('/'), globalThis.process?.platform === 'win32' ? text.lastIndexOf('\\') : -1);
  return [cut < 0 ? '.' : text.slice(0, cut) || '/', text.slice(cut + 1)];
}

async function withFile(
  place: string,
  file: string | undefined,
  open: (place: string) => Files,
  options: OpenFilesOptions,
): Promise<Files> {
  const files = open(place);
  return file === undefined ? files : openGguf(files, decodeFile(place, file), options);
}

async function openGguf(files: Files, file: string, { signal }: OpenFilesOptions): Promise<Files> {
  const { gguf } = await import('../gguf/files.ts');
  return gguf(files, file, signal && { signal });
}

/** Addresses have their names encoded. */
const decodeFile = (place: string, file: string): string => (/^https?:/.test(place) ? decodeURIComponent(file) : file);

/** Why a path cannot be used, or undefined if it exists. Without a file system no path does, and that is no mistake of it. */
async function missing(path: string): Promise<unknown> {
  const fs = globalThis.process?.getBuiltinModule?.('node:fs/promises');
  if (!fs) return new CheckpointError('openFiles: there is no file system here');
  return fs.stat(path).then(
    () => undefined,
    (cause: unknown) => cause,
  );
}

/** Whoever mistyped the path of a folder should not read about hubs alone. */
function hinted(files: Files, text: string): Files {
  if (!globalThis.process?.versions?.node) return files;
  const explain = (error: unknown): never => {
    if (
      !(error instanceof CheckpointError) ||
      !/^hub: (there is no model|\S+ cannot be reached|.* is not in the cache)/.test(error.message)
    )
      throw error;
    throw new CheckpointError(`${error.message}; nor is there a folder ${text} here`, { cause: error });
  };
  return {
    ...files,
    has: (path, options) => files.has(path, options).catch(explain),
    size: (path, options) => files.size(path, options).catch(explain),
    read: (path, options) => files.read(path, options).catch(explain),
  };
}
