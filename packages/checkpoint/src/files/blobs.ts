// Files that the page already holds: from a file input, drag and drop, or a download.
import { CheckpointError } from '../errors.ts';
import { blobBytes } from './body.ts';
import { checkPath, checkRange, type Files } from './files.ts';

/** The given blobs by path, for example `{ 'config.json': file1, 'model.safetensors': file2 }`. */
export function blobs(files: Readonly<Record<string, Blob>>, name = 'blobs'): Files {
  const held = new Map(Object.entries(files));
  for (const path of held.keys()) checkPath(path);
  const find = (path: string): Blob => {
    const blob = held.get(path);
    if (!blob)
      throw new CheckpointError(
        `blobs: ${path} is missing; there are: ${[...held.keys()].slice(0, 12).join(', ') || 'none'}`,
      );
    return blob;
  };
  return {
    name,
    has: async (path) => held.has(path),
    size: async (path) => find(path).size,
    async read(path, { start = 0, end, signal, into } = {}) {
      signal?.throwIfAborted();
      const blob = find(path);
      const stop = end ?? blob.size;
      checkRange(path, start, stop, blob.size);
      const bytes = await blobBytes(blob.slice(start, stop), into);
      signal?.throwIfAborted();
      if (bytes.length !== stop - start)
        throw new CheckpointError(
          `blobs: ${path} gave ${bytes.length} of the ${stop - start} bytes ${start} to ${stop}; it has changed`,
        );
      return bytes;
    },
  };
}
