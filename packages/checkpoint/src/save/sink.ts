// Where files are written: a folder, a directory that a page was given, or memory. A file appears under its name when it is whole.
import { CheckpointError, quoted } from '../errors.ts';
import { checkPath } from '../files/files.ts';

export interface Sink {
  /** What to call this place in messages. */
  readonly name: string;
  /** Write one file. Nothing is left of it when that fails. The memory of a piece is not used after the next is asked for. */
  write(path: string, pieces: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<void>;
}

/** A folder on disk, made if it is not there. */
export function folderSink(path: string): Sink {
  const get = globalThis.process?.getBuiltinModule;
  const [fs, paths] = [get?.('node:fs/promises'), get?.('node:path')];
  if (!fs || !paths)
    throw new CheckpointError(
      `folderSink: there is no file system here: ${quoted(path)}; in a browser use directorySink()`,
    );
  return {
    name: path,
    async write(file, pieces) {
      checkPath(file);
      const target = paths.join(path, file);
      const partial = `${target}.partial-${globalThis.process.pid}`;
      try {
        await fs.mkdir(paths.dirname(target), { recursive: true });
        const handle = await fs.open(partial, 'w');
        try {
          for await (const piece of pieces) await handle.writeFile(piece);
        } finally {
          await handle.close();
        }
        await fs.rename(partial, target);
      } catch (cause) {
        await fs.rm(partial, { force: true });
        const { code } = cause as NodeJS.ErrnoException;
        if (code === undefined) throw cause;
        throw new CheckpointError(`folderSink: cannot write ${target}: ${code}`, { cause });
      }
    },
  };
}

/** A directory that a page was given, for example by `showDirectoryPicker({ mode: 'readwrite' })`, or of the origin's own files. */
export function directorySink(handle: FileSystemDirectoryHandle): Sink {
  return {
    name: handle.name,
    async write(path, pieces) {
      checkPath(path);
      const folders = path.split('/');
      const name = folders.pop()!;
      let folder = handle;
      for (const inner of folders) folder = await folder.getDirectoryHandle(inner, { create: true });
      const file = await folder.getFileHandle(name, { create: true });
      const writable = await file.createWritable();
      try {
        for await (const piece of pieces) await writable.write(piece);
      } catch (error) {
        await writable.abort();
        throw error;
      }
      await writable.close();
    },
  };
}

/** Blobs by path, for example to download from a page. */
export function memorySink(files: Map<string, Blob>): Sink {
  return {
    name: 'memory',
    async write(path, pieces) {
      checkPath(path);
      const parts: Uint8Array<ArrayBuffer>[] = [];
      for await (const piece of pieces) parts.push(piece.slice());
      files.set(path, new Blob(parts));
    },
  };
}
