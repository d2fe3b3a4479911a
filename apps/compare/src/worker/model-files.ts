// From what the page was given to a place of files: an address, or files that somebody chose.
import { blobs, gguf, openFiles } from '@transept/checkpoint';
import type { Files, OpenFilesOptions } from '@transept/checkpoint';
import type { ModelSource } from '../protocol.ts';

/** Reads no more than the header of a GGUF file. */
export async function modelFiles(source: ModelSource, options: OpenFilesOptions): Promise<Files> {
  if (typeof source === 'string') return openFiles(source, options);
  const files = blobs(Object.fromEntries(source.map((file) => [pathOf(file), file])), 'the files that were chosen');
  // Of a split one, the first part.
  const [first] = source
    .map(pathOf)
    .filter((path) => /\.gguf$/i.test(path))
    .sort();
  return first === undefined ? files : gguf(files, first, options);
}

/** Where a file lies in the folder that was chosen; by itself, its name. */
const pathOf = ({ name, webkitRelativePath }: File): string => webkitRelativePath.split('/').slice(1).join('/') || name;
