// Where the files of a tokenizer lie. What opens folders and addresses in @transept/checkpoint can be given as it is.
import { TokenizerError } from '../errors.ts';
import { Json } from '../json.ts';

/** The largest tokenizer.json in use is about 35 MB. */
const MAX_BYTES = 128e6;

export interface TokenizerFiles {
  /** Is there such a file? */
  has(path: string, options?: FileOptions): Promise<boolean>;
  /** All its bytes. */
  read(path: string, options?: FileOptions): Promise<Uint8Array>;
  /** How many they are, so that a file that is too large is refused before it is read. */
  size?(path: string, options?: FileOptions): Promise<number>;
}

export interface FileOptions {
  readonly signal?: AbortSignal;
}

/** Throws a TokenizerError where there are too many. */
export async function readBytes(files: TokenizerFiles, path: string): Promise<Uint8Array> {
  if (files.size) checkSize(path, await files.size(path));
  const bytes = await files.read(path);
  checkSize(path, bytes.length);
  return bytes;
}

function checkSize(path: string, bytes: number): void {
  if (bytes > MAX_BYTES) throw new TokenizerError(`${path}: has ${bytes} bytes; at most ${MAX_BYTES} are read`);
}

/** Throws a TokenizerError where it is too long, or no UTF-8. */
export async function readText(files: TokenizerFiles, path: string): Promise<string> {
  const bytes = await readBytes(files, path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TokenizerError(`${path}: is no UTF-8; it must be text in UTF-8`, { cause });
  }
}

export async function readJsonFile(files: TokenizerFiles, path: string): Promise<Json> {
  return Json.parse(await readText(files, path), path);
}

/** Empty where there is no such file. */
export async function readOptional(files: TokenizerFiles, path: string): Promise<Json> {
  return (await files.has(path)) ? readJsonFile(files, path) : new Json({}, path);
}
