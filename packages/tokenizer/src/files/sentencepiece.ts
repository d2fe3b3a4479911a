// A SentencePiece model in a folder: which numbers its pieces have in the vocabulary of each class of transformers, what the
// class does to a text before, and what it puts around it. The text is cut as SentencePiece itself cuts it.
import { TokenizerError } from '../errors.ts';
import { Json } from '../json.ts';
import { Renumbered } from '../models/renumbered.ts';
import { readPostProcessor } from '../post-processors/index.ts';
import { decoder } from '../sentencepiece/decoder.ts';
import { readSentencePieceFile, type SentencePieceFile } from '../sentencepiece/file.ts';
import { sentencePieceParts } from '../sentencepiece/sentencepiece.ts';
import { Tokenizer } from '../tokenizer.ts';
import type { TokenizerConfig } from './config.ts';
import { kinds, LLAMA, T5 } from './sentencepiece-kinds.ts';

export async function sentencePieceFiles(
  bytes: Uint8Array,
  name: string,
  config: TokenizerConfig,
  vocab?: Json,
): Promise<Tokenizer> {
  const kind = config.kind(kinds, name) ?? (name === 'spiece.model' ? T5 : LLAMA);
  const original = readSentencePieceFile(bytes, name);
  const layout = kind.read({ file: original, config, vocab });
  const file: SentencePieceFile = { ...original, ...layout.file };
  const parts = sentencePieceParts(file, name);
  const ids = layout.vocab ?? parts.model.vocab;
  const unknown = file.pieces.find(({ type }) => type === 'unknown')!.text;
  const idOf = (token: string): number =>
    ids.get(token) ?? fail(`${name}: there is no token ${token}, which ${kind.classes[0]} puts around a text`);
  const control = file.pieces.filter(({ type }) => type === 'control').map(({ text }) => text);
  const listed = config.addedTokens((token) => ids.get(token), [...control, unknown], layout.mask);
  const contents = new Set(listed.map(({ content }) => content));
  const more = (layout.addedTokens ?? []).filter(({ content }) => !contents.has(content));
  const addedTokens = [...listed, ...more];
  const places = new Map(addedTokens.map(({ content, id }) => [content, id]));
  const template = layout.around((token) => places.get(token) ?? idOf(token));
  return new Tokenizer({
    ...parts,
    normalizer: [...(layout.before ?? []), ...parts.normalizer],
    model: layout.vocab ? new Renumbered(parts.model, layout.vocab, idOf(unknown)) : parts.model,
    addedTokens,
    postProcessor: await readPostProcessor(new Json(template, name)),
    decoder: decoder(file),
    chat: config.chat,
  });
}

function fail(problem: string): never {
  throw new TokenizerError(problem);
}
