// The way in for whole folders: whatever files of a tokenizer are there, the best of them is read. Readers are loaded when used.
import type { Chat } from './chat/chat-template.ts';
import { TokenizerConfig } from './files/config.ts';
import { readBytes, readJsonFile, readText, type FileOptions, type TokenizerFiles } from './files/files.ts';
import type { Json } from './json.ts';
import { Tokenizer } from './tokenizer.ts';

/** Under which names SentencePiece models lie; the first may also be a tiktoken file, as for Llama 3. */
const MODELS = ['tokenizer.model', 'spiece.model', 'sentencepiece.bpe.model', 'spm.model', 'sentencepiece.model'];

/**
 * Reads tokenizer.json, or else a SentencePiece or tiktoken model, vocab.json with merges.txt, source.spm with target.spm, or
 * vocab.txt, each with what tokenizer_config.json says of it. Undefined where there is none of them. Throws TokenizerError
 * with the file and the place of what is wrong.
 */
export async function loadTokenizer(place: TokenizerFiles, options: FileOptions = {}): Promise<Tokenizer | undefined> {
  const files: TokenizerFiles = {
    has: (path) => place.has(path, options),
    read: (path) => place.read(path, options),
    ...(place.size && { size: (path: string) => place.size!(path, options) }),
  };
  const has = async (...paths: string[]): Promise<boolean> =>
    (await Promise.all(paths.map((path) => files.has(path)))).every(Boolean);
  if (await has('tokenizer.json')) {
    let chat: ReturnType<Chat> | undefined;
    return Tokenizer.fromJSON(await readText(files, 'tokenizer.json'), {
      chat: () =>
        (chat ??= TokenizerConfig.read(place)
          .then((config) => config.chat())
          .catch((error: unknown) => {
            chat = undefined; // it may be there next time
            throw error;
          })),
    });
  }
  const config = await TokenizerConfig.read(files);
  if (await has('source.spm', 'target.spm', 'vocab.json')) {
    const { marianFiles } = await import('./files/marian.ts');
    const [source, target] = await Promise.all([readBytes(files, 'source.spm'), readBytes(files, 'target.spm')]);
    return marianFiles({ source, target, vocab: await readJsonFile(files, 'vocab.json') }, config);
  }
  if (await has('vocab.json', 'merges.txt')) {
    const { bytePairFiles } = await import('./files/byte-pair.ts');
    return bytePairFiles(await readJsonFile(files, 'vocab.json'), await readText(files, 'merges.txt'), config);
  }
  for (const name of MODELS) {
    if (!(await has(name))) continue;
    const vocab = (await has('vocab.json')) ? await readJsonFile(files, 'vocab.json') : undefined;
    return readModelFile(await readBytes(files, name), name, config, vocab);
  }
  if (await has('vocab.txt')) {
    const { wordPieceFiles } = await import('./files/word-piece.ts');
    return wordPieceFiles(await readText(files, 'vocab.txt'), config);
  }
  return undefined;
}

async function readModelFile(
  bytes: Uint8Array,
  name: string,
  config: TokenizerConfig,
  vocab: Json | undefined,
): Promise<Tokenizer> {
  // A line of base64 and a rank, where a SentencePiece model begins with a field and its length.
  if (/^[\w+/]+={0,2} \d+\r?\n/.test(new TextDecoder('latin1').decode(bytes.subarray(0, 200)))) {
    const { tiktoken } = await import('./tiktoken/tiktoken.ts');
    return tiktoken(bytes, { encoding: 'llama3', name, chat: config.chat });
  }
  const { sentencePieceFiles } = await import('./files/sentencepiece.ts');
  return sentencePieceFiles(bytes, name, config, vocab);
}
