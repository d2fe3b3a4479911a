// Marian translators: source.spm cuts what goes in, target.spm what comes out, and vocab.json numbers the pieces of both.
import type { AddedToken } from '../added-tokens.ts';
import { constantPart } from '../encoding.ts';
import type { Json } from '../json.ts';
import { Renumbered } from '../models/renumbered.ts';
import { readVocab } from '../models/vocab.ts';
import { readSentencePieceFile } from '../sentencepiece/file.ts';
import { decoder } from '../sentencepiece/decoder.ts';
import { sentencePieceParts } from '../sentencepiece/sentencepiece.ts';
import { Tokenizer } from '../tokenizer.ts';
import type { TokenizerConfig } from './config.ts';

export interface MarianFiles {
  source: Uint8Array;
  target: Uint8Array;
  vocab: Json;
}

export function marianFiles(files: MarianFiles, config: TokenizerConfig): Tokenizer {
  const vocab = readVocab(files.vocab);
  const { normalizer, preTokenizer, model } = sentencePieceParts(
    readSentencePieceFile(files.source, 'source.spm'),
    'source.spm',
  );
  const [eos, unk, pad] = [
    config.special('eos', '</s>'),
    config.special('unk', '<unk>'),
    config.special('pad', '<pad>'),
  ];
  const required = (token: string): number =>
    vocab.get(token) ?? files.vocab.fail(`the special token ${token} is missing`);
  const end = constantPart('special', 0, [required(eos)], [eos]);
  return new Tokenizer({
    addedTokens: [...config.addedTokens((token) => vocab.get(token), [eos, unk, pad]), ...languages(vocab)],
    normalizer,
    preTokenizer,
    model: new Renumbered(model, vocab, required(unk)),
    // A pair is one text that goes on, as in MarianTokenizer.
    postProcessor: { added: () => 1, process: (parts, adds) => (adds ? [...parts, end] : parts) },
    decoder: decoder(readSentencePieceFile(files.target, 'target.spm')),
    chat: config.chat,
  });
}

/** >>deu<< and the like, which choose the language of the translation, at the start of a text. */
function languages(vocab: ReadonlyMap<string, number>): AddedToken[] {
  const marks = [...vocab].filter(([token]) => /^>>.+<<$/.test(token));
  return marks.map(([content, id]) => ({
    id,
    content,
    singleWord: false,
    lstrip: false,
    rstrip: true,
    normalized: false,
    special: false,
  }));
}
