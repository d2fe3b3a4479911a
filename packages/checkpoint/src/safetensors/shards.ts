// A checkpoint in several safetensors files: `model.safetensors.index.json` says which tensor lies in which of them.
import { CheckpointError, quoted } from '../errors.ts';
import { checkPath, type Files } from '../files/files.ts';
import { describe, isObject, readJson } from '../json.ts';
import type { TensorInfo } from '../stored.ts';
import { readSafetensorsHeader, type SafetensorsHeader } from './header.ts';

/** The tensors that an index names, checked against the headers of all its files. Paths in it are beside the index. */
export async function readShards(
  files: Files,
  index: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<SafetensorsHeader> {
  const { weight_map: map } = await readJson(files, index, options);
  if (!isObject(map))
    throw new CheckpointError(`safetensors: ${index}: weight_map is ${describe(map)}; expected an object`);
  const shards = new Map<string, string[]>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string')
      throw new CheckpointError(
        `safetensors: ${index}: tensor ${quoted(name)} is in ${describe(file)}; expected the name of a file`,
      );
    const names = shards.get(file);
    if (names) names.push(name);
    else shards.set(file, [name]);
  }
  const folder = index.slice(0, index.lastIndexOf('/') + 1);
  let metadata: Readonly<Record<string, string>> = {};
  const tensors: TensorInfo[] = [];
  const seen = new Map<string, string>();
  for (const [file, names] of shards) {
    checkPath(file);
    const header = await readSafetensorsHeader(files, folder + file, options);
    metadata = { ...metadata, ...header.metadata };
    const found = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
    for (const name of found.keys()) {
      const other = seen.get(name);
      if (other)
        throw new CheckpointError(
          `safetensors: tensor ${quoted(name)} is both in ${other} and in ${file}; expected it once`,
        );
      seen.set(name, file);
    }
    for (const name of names) {
      const tensor = found.get(name);
      if (!tensor)
        throw new CheckpointError(
          `safetensors: tensor ${quoted(name)} is missing in ${file}, where ${index} says it is`,
        );
      tensors.push(tensor);
    }
  }
  return { metadata, tensors };
}
