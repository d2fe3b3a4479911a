// A directory that a page was given by its user, or of the origin's own files. Files are found when they are asked for.
import { CheckpointError } from '../errors.ts';
import { blobs } from './blobs.ts';
import { checkPath, type Files } from './files.ts';

/** The files of a directory handle, for example of `showDirectoryPicker()` or dropped on a page. */
export function directory(handle: FileSystemDirectoryHandle): Files {
  const find = async (path: string): Promise<File | undefined> => {
    checkPath(path);
    const folders = path.split('/');
    const name = folders.pop()!;
    try {
      let folder = handle;
      for (const inner of folders) folder = await folder.getDirectoryHandle(inner);
      return await (await folder.getFileHandle(name)).getFile();
    } catch (error) {
      const { name: kind } = error as DOMException;
      if (kind === 'NotFoundError' || kind === 'TypeMismatchError') return undefined;
      throw new CheckpointError(`directory: cannot open ${handle.name}/${path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  };
  const held = async (path: string): Promise<Files> => {
    const file = await find(path);
    if (!file) throw new CheckpointError(`directory: ${path} is missing in ${handle.name}`);
    return blobs({ [path]: file }, handle.name);
  };
  return {
    name: handle.name,
    has: async (path) => (await find(path)) !== undefined,
    size: async (path) => (await held(path)).size(path),
    read: async (path, options) => (await held(path)).read(path, options),
  };
}
