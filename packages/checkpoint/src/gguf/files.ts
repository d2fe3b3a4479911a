// A GGUF file seen as the folder it was made from: config.json, tokenizer.json, tokenizer_config.json and generation_config.json
// come out of its metadata, the weights under their Hugging Face names. Whoever reads a folder can read this.
import type { Contents } from '../checkpoint.ts';
import { CheckpointError, quoted } from '../errors.ts';
import { checkRange, copied, type Files } from '../files/files.ts';
import type { JsonObject } from '../json.ts';
import { converted } from '../pieces.ts';
import type { TensorInfo } from '../stored.ts';
import type { Source } from './architectures/architecture.ts';
import { architectures } from './architectures/index.ts';
import { readGgufHeader, type GgufHeader } from './header.ts';
import { constantNames, renamed } from './tensors.ts';
import { readTokenizer } from './tokenizer/index.ts';

/** Factors of rotary positions: one for each pair of a head's dimensions. */
const MAX_CONSTANT_ELEMENTS = 65536;

/** `file` is a GGUF file in `files`, or the first of a split one. Reads its header. Throws a CheckpointError. */
export async function gguf(
  files: Files,
  file: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Files> {
  const { metadata, tensors: list } = await readParts(files, file, options);
  const name = metadata.text('general.architecture');
  const architecture =
    architectures.get(name) ??
    metadata.fail(
      'general.architecture',
      `${quoted(name)} is not supported`,
      `one of ${[...architectures.keys()].join(', ')}`,
    );
  const tensors = new Map(list.map((tensor) => [tensor.name, tensor]));
  const constants = await readConstants(files, tensors, options);
  const source: Source = { metadata, architecture: name, tensors, constants };
  const embedded = readTokenizer(metadata);
  const contents: Contents = {
    tensors: renamed(source, architecture),
    metadata: { format: 'gguf', ...(metadata.has('general.name') && { name: metadata.text('general.name') }) },
  };
  const config = architecture.config(source);
  const documents = new Map<string, unknown>([
    ['config.json', config],
    ['generation_config.json', generationOf(config)],
  ]);
  for (const [path, json] of Object.entries(architecture.documents?.(source) ?? {})) documents.set(path, json);
  if (embedded) documents.set('tokenizer.json', embedded.tokenizer).set('tokenizer_config.json', embedded.config);

  // A vocabulary written out takes tens of megabytes: it is kept from when its size is asked for until it is read.
  const texts = new Map<string, Uint8Array<ArrayBuffer>>();
  const document = (path: string): Uint8Array<ArrayBuffer> | undefined => {
    if (documents.has(path) && !texts.has(path))
      texts.set(path, new TextEncoder().encode(JSON.stringify(documents.get(path))));
    return texts.get(path);
  };
  return {
    name: `${files.name}/${file}`,
    has: async (path, options) => documents.has(path) || (path.endsWith('.gguf') && files.has(path, options)),
    size: async (path, options) => document(path)?.length ?? files.size(path, options),
    async read(path, options = {}) {
      const bytes = document(path);
      if (!bytes) return files.read(path, options);
      const { start = 0, end = bytes.length, into } = options;
      checkRange(path, start, end, bytes.length);
      const whole = end - start === bytes.length;
      if (whole) texts.delete(path);
      return whole && !into ? bytes : copied(bytes.subarray(start, end), into);
    },
    weights: async () => contents,
    ...(files.verified && { verified: files.verified }),
  };
}

/** Ids that generating goes by. */
function generationOf(config: JsonObject): JsonObject {
  const { bos_token_id: bos, eos_token_id: eos, pad_token_id: pad, decoder_start_token_id: start } = config;
  const ids = { bos_token_id: bos, eos_token_id: eos, pad_token_id: pad, decoder_start_token_id: start };
  return Object.fromEntries(Object.entries(ids).filter(([, id]) => id !== undefined && id !== null));
}

/** The header of a file, with the tensors of all files where it is the first of several. */
async function readParts(files: Files, file: string, options: { readonly signal?: AbortSignal }): Promise<GgufHeader> {
  const first = await readGgufHeader(files, file, options);
  const { metadata } = first;
  const count = metadata.count('split.count', 1);
  if (count <= 1) return first;
  const [, stem, number, total] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/.exec(file) ?? [];
  if (stem === undefined || Number(number) !== 1 || Number(total) !== count)
    metadata.fail('split.count', `it is ${count}`, `a file named …-00001-of-${String(count).padStart(5, '0')}.gguf`);
  const tensors = [...first.tensors];
  const seen = new Map(tensors.map((tensor) => [tensor.name, tensor.file]));
  for (let part = 2; part <= count; part++) {
    const path = `${stem}-${String(part).padStart(5, '0')}-of-${total}.gguf`;
    const more = await readGgufHeader(files, path, options);
    for (const tensor of more.tensors) {
      const other = seen.get(tensor.name);
      if (other !== undefined)
        throw new CheckpointError(
          `gguf: tensor ${quoted(tensor.name)} is both in ${other} and in ${path}; expected it once`,
        );
      seen.set(tensor.name, path);
      tensors.push(tensor);
    }
  }
  const announced = metadata.count('split.tensors.count', tensors.length);
  if (announced !== tensors.length)
    metadata.fail('split.tensors.count', `it is ${announced}, the files have ${tensors.length}`, 'the same');
  return { metadata, tensors };
}

async function readConstants(
  files: Files,
  tensors: ReadonlyMap<string, TensorInfo>,
  options: { readonly signal?: AbortSignal },
): Promise<Map<string, Float32Array>> {
  const constants = new Map<string, Float32Array>();
  for (const name of constantNames) {
    const tensor = tensors.get(name);
    if (!tensor) continue;
    if (tensor.shape.length !== 1 || tensor.shape[0]! > MAX_CONSTANT_ELEMENTS)
      throw new CheckpointError(
        `gguf: ${tensor.file}: tensor ${quoted(name)} has shape [${tensor.shape.join(', ')}]; expected at most ${MAX_CONSTANT_ELEMENTS} numbers`,
      );
    const bytes = await files.read(tensor.file, { start: tensor.start, end: tensor.end, ...options });
    constants.set(name, converted(tensor, bytes, { first: 0, count: tensor.shape[0]! }, 'f32'));
  }
  return constants;
}
