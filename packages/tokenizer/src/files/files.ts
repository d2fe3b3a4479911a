// Where the files of a tokenizer lie. What opens folders and addresses in @transept/checkpoint can be given as it is.
import { Json } from '../json.ts';

export interface TokenizerFiles {
  /** Is there such a file? */
  has(path: string, options?: FileOptions): Promise<boolean>;
  /** All its bytes. */
  read(path: string, options?: FileOptions): Promise<Uint8Array>;
}

export interface FileOptions {
  readonly signal?: AbortSignal;
}

export async function readText(files: TokenizerFiles, path: string): Promise<string> {
  return new TextDecoder().decode(await files.read(path));
}

export async function readJsonFile(files: TokenizerFiles, path: string): Promise<Json> {
  return Json.parse(await readText(files, path), path);
}

/** Empty where there is no such file. */
export async function readOptional(files: TokenizerFiles, path: string): Promise<Json> {
  return (await files.has(path)) ? readJsonFile(files, path) : new Json({}, path);
}
