// A folder on disk, by positional reads. Node, Bun and Deno; the built-in modules are asked for at run time, so a bundler
// for the browser sees nothing to resolve.
import { CheckpointError, quoted } from '../errors.ts';
import { checkPath, checkRange, room, type Files } from './files.ts';

/** The largest piece one call to the operating system reads. */
const PIECE_BYTES = 64 << 20;

/** The files of a folder. Throws a CheckpointError where there is no file system. */
export function folder(path: string): Files {
  const fs = globalThis.process?.getBuiltinModule?.('node:fs/promises');
  const paths = globalThis.process?.getBuiltinModule?.('node:path');
  if (!fs || !paths)
    throw new CheckpointError(
      `folder: there is no file system here: ${quoted(path)}; in a browser use blobs() or http()`,
    );
  const at = (file: string): string => {
    checkPath(file);
    return paths.join(path, file);
  };
  const missing = async (file: string, cause: unknown): Promise<CheckpointError> => {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      return new CheckpointError(`folder: cannot read ${at(file)}: ${code ?? String(cause)}`, { cause });
    const names = await fs.readdir(path).catch(() => undefined);
    if (!names)
      return new CheckpointError(`folder: no such folder: ${path}; expected the folder of a model`, { cause });
    const some = names.slice(0, 12).join(', ') + (names.length > 12 ? ', …' : '');
    return new CheckpointError(`folder: ${file} is missing in ${path}; it has: ${some || 'nothing'}`, { cause });
  };
  return {
    name: path,
    async has(file) {
      const stat = await fs.stat(at(file)).catch(() => undefined);
      return stat?.isFile() ?? false;
    },
    async size(file) {
      const stat = await fs.stat(at(file)).catch(async (cause) => {
        throw await missing(file, cause);
      });
      if (!stat.isFile()) throw new CheckpointError(`folder: ${at(file)} is not a file`);
      return stat.size;
    },
    async read(file, { start = 0, end, signal, into } = {}) {
      signal?.throwIfAborted();
      const handle = await fs.open(at(file), 'r').catch(async (cause) => {
        throw await missing(file, cause);
      });
      try {
        const { size } = await handle.stat();
        const stop = end ?? size;
        checkRange(at(file), start, stop, size);
        const bytes = room(stop - start, into);
        for (let done = 0; done < bytes.length;) {
          signal?.throwIfAborted();
          const { bytesRead } = await handle.read(
            bytes,
            done,
            Math.min(PIECE_BYTES, bytes.length - done),
            start + done,
          );
          if (bytesRead === 0)
            throw new CheckpointError(
              `folder: ${at(file)} ended at byte ${start + done} while bytes ${start} to ${stop} were read`,
            );
          done += bytesRead;
        }
        return bytes;
      } finally {
        await handle.close();
      }
    },
  };
}
