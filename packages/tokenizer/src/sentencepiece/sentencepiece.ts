// A tokenizer from a SentencePiece .model file, equal to Google's program: unigram and BPE models.
import { SPECIAL, type AddedToken } from '../added-tokens.ts';
import type { Chat } from '../chat/chat-template.ts';
import { constantPart } from '../encoding.ts';
import { TokenizerError } from '../errors.ts';
import { JoinedBpe } from '../models/joined-bpe.ts';
import type { Model } from '../models/model.ts';
import { Unigram } from '../models/unigram.ts';
import type { PostProcessor } from '../post-processors/post-processor.ts';
import type { Stage } from '../pre-tokenizers/stage.ts';
import type { Edit } from '../text.ts';
import { Tokenizer } from '../tokenizer.ts';
import { Trie } from '../trie.ts';
import { decoder } from './decoder.ts';
import { readSentencePieceFile, type Piece, type SentencePieceFile } from './file.ts';
import { normalizer } from './normalizer.ts';

export interface SentencePieceOptions {
  /** Whether encoding begins with the file's bos piece; default false, as in SentencePiece itself. */
  addBos?: boolean;
  /** Whether encoding ends with the file's eos piece; default false. */
  addEos?: boolean;
  /** Tokens found in text before SentencePiece sees it, besides the file's own. */
  addedTokens?: readonly AddedToken[];
  /** What messages call the file. */
  name?: string;
  chat?: Chat;
}

/** Throws TokenizerError with the place of what is wrong. Without options, control symbols such as <s> in a text are text. */
export function sentencePiece(bytes: Uint8Array, options: SentencePieceOptions = {}): Tokenizer {
  const { name = 'SentencePiece model', addBos = false, addEos = false, addedTokens = [], chat } = options;
  const file = readSentencePieceFile(bytes, name);
  const added = new Set(addedTokens.map(({ content }) => content));
  const hidden = file.pieces.flatMap(({ text, type }, id) =>
    type === 'control' && !added.has(text) ? [{ ...SPECIAL, id, content: text, hidden: true }] : [],
  );
  return new Tokenizer({
    ...sentencePieceParts(file, name),
    addedTokens: [...hidden, ...addedTokens],
    postProcessor: surround(file, addBos, addEos, name),
    decoder: decoder(file),
    chat,
  });
}

export interface SentencePieceParts {
  normalizer: readonly Edit[];
  preTokenizer: readonly Stage[];
  model: Model;
}

/** What cuts a text into pieces. */
export function sentencePieceParts(file: SentencePieceFile, name: string): SentencePieceParts {
  const symbols = new Trie();
  for (const [id, { text, type }] of file.pieces.entries()) if (type === 'userDefined') symbols.add(text, id);
  return {
    normalizer: [normalizer(file, symbols)],
    preTokenizer: wordStages(file),
    model: model(file, symbols, name),
  };
}

function model(file: SentencePieceFile, symbols: Trie, name: string): Model {
  const unknown = file.pieces.findIndex(({ type }) => type === 'unknown');
  switch (file.modelType) {
    case 'unigram':
      return unigram(file, unknown);
    case 'bpe':
      return bpe(file, unknown, symbols);
    case 'word':
    case 'char':
      throw new TokenizerError(`${name}: model_type is ${file.modelType}; unigram and bpe are supported`);
    default:
      return file.modelType satisfies never;
  }
}

function unigram({ pieces, byteFallback }: SentencePieceFile, unknown: number): Unigram {
  const normal = pieces.filter(({ type }) => type === 'normal').map(({ score }) => score);
  const least = normal.reduce((a, b) => Math.min(a, b), 0);
  const most = normal.reduce((a, b) => Math.max(a, b), 0);
  const encoder = new TextEncoder();
  const score = (piece: Piece): number | undefined => {
    if (piece.type === 'normal') return piece.score;
    // User-defined symbols are always preferred to cutting them.
    return piece.type === 'userDefined' ? encoder.encode(piece.text).length * most - 0.1 : undefined;
  };
  return new Unigram({
    pieces: pieces.map((piece) => [piece.text, score(piece)]),
    unknown,
    byteFallback,
    leastScore: normal.length > 0 ? least : 0,
    asTokenizers: false,
  });
}

function bpe({ pieces, byteFallback }: SentencePieceFile, unknown: number, frozen: Trie): JoinedBpe {
  const made = pieces.filter(({ type }) => type === 'normal' || type === 'userDefined' || type === 'unused');
  const scores = [...new Set(made.map(({ score }) => score))].sort((a, b) => b - a);
  const rankOf = new Map(scores.map((score, rank) => [score, rank]));
  return new JoinedBpe({
    vocab: new Map(pieces.map(({ text }, id) => [text, id])),
    ranks: new Map(made.map(({ text, score }) => [text, rankOf.get(score)!])),
    unused: new Set(pieces.filter(({ type }) => type === 'unused').map(({ text }) => text)),
    unknown,
    byteFallback,
    frozen,
  });
}

/** Where no piece goes on over the border of two words, BPE may take them one by one, and remember them. */
function wordStages({ modelType, pieces }: SentencePieceFile): Stage[] {
  const crosses = /[^▁]▁/;
  if (modelType !== 'bpe' || pieces.some(({ text }) => crosses.test(text))) return [];
  if (!pieces.some(({ text, type }) => text === '▁' && type === 'normal')) return [];
  return [{ cut: cutWords }];
}

/** Before every ▁ that another character precedes. */
function cutWords(text: string): number[] {
  const cuts: number[] = [];
  let start = 0;
  for (let at = text.indexOf('▁', 1); at >= 0; at = text.indexOf('▁', at + 1)) {
    if (text[at - 1] === '▁') continue;
    cuts.push(start, at);
    start = at;
  }
  return [...cuts, start, text.length];
}

function surround(file: SentencePieceFile, addBos: boolean, addEos: boolean, name: string): PostProcessor {
  const part = (text: string): ReturnType<typeof constantPart> => {
    const id = file.pieces.findIndex((piece) => piece.text === text && piece.type === 'control');
    if (id < 0) throw new TokenizerError(`${name}: there is no control symbol ${text} to put around the text`);
    return constantPart('special', 0, [id], [text]);
  };
  const bos = addBos ? [part(file.bosPiece)] : [];
  const eos = addEos ? [part(file.eosPiece)] : [];
  return {
    added: (pair) => (bos.length + eos.length) * (pair ? 2 : 1),
    process: (parts, addSpecialTokens) => (addSpecialTokens ? parts.flatMap((each) => [...bos, each, ...eos]) : parts),
  };
}
