// What a SentencePiece .model file says (sentencepiece_model.proto): pieces with scores and types, how they were trained, and
// how text is normalized before it is cut. Fields that only training reads are passed over.
import { TokenizerError } from '../errors.ts';
import { show } from '../json.ts';
import { CharsMap, readCharsMap } from '../normalizers/precompiled.ts';
import { fields, type Field } from './protobuf.ts';

const PIECE_TYPES = ['normal', 'unknown', 'control', 'userDefined', 'unused', 'byte'] as const;
const MODEL_TYPES = ['unigram', 'bpe', 'word', 'char'] as const;

export interface Piece {
  text: string;
  score: number;
  type: (typeof PIECE_TYPES)[number];
}

export interface SentencePieceFile {
  readonly pieces: readonly Piece[];
  readonly modelType: (typeof MODEL_TYPES)[number];
  readonly byteFallback: boolean;
  /** Spaces stand behind words instead of before. */
  readonly spaceBehind: boolean;
  /** What an unknown token decodes to. */
  readonly unknownSurface: string;
  readonly bosPiece: string;
  readonly eosPiece: string;
  readonly padPiece: string;
  readonly charsMap: CharsMap | undefined;
  readonly addDummyPrefix: boolean;
  readonly removeExtraSpaces: boolean;
  readonly escapeSpaces: boolean;
}

/** Throws TokenizerError with the place of what is wrong. `name` is what messages call the file. */
export function readSentencePieceFile(bytes: Uint8Array, name: string): SentencePieceFile {
  const pieces: Piece[] = [];
  const settings = { ...DEFAULTS };
  for (const field of fields(bytes, name)) {
    if (field.number === 1) pieces.push(readPiece(field.named(`piece ${pieces.length}`)));
    else if (field.number === 2) readTrainer(field.named('trainer_spec'), settings);
    else if (field.number === 3) readNormalizer(field.named('normalizer_spec'), settings);
    else if (field.number === 5) refuseDenormalizer(field.named('denormalizer_spec'));
  }
  checkPieces(pieces, settings.byteFallback, name);
  return { ...settings, pieces };
}

type Settings = { -readonly [K in keyof Omit<SentencePieceFile, 'pieces'>]: SentencePieceFile[K] };

const DEFAULTS: Settings = {
  modelType: 'unigram',
  byteFallback: false,
  spaceBehind: false,
  unknownSurface: ' \u2047 ',
  bosPiece: '<s>',
  eosPiece: '</s>',
  padPiece: '<pad>',
  charsMap: undefined,
  addDummyPrefix: true,
  removeExtraSpaces: true,
  escapeSpaces: true,
};

function readPiece(message: Field): Piece {
  const piece: Piece = { text: '', score: 0, type: 'normal' };
  for (const field of message.message()) {
    if (field.number === 1) piece.text = field.named('piece').string();
    else if (field.number === 2) piece.score = field.named('score').float();
    else if (field.number === 3) piece.type = oneOf(field.named('type'), PIECE_TYPES);
  }
  if (!piece.text) message.fail('is empty');
  if (!Number.isFinite(piece.score)) message.fail(`has the score ${piece.score}; it must be a finite number`);
  return piece;
}

function readTrainer(message: Field, settings: Settings): void {
  for (const field of message.message()) {
    if (field.number === 3) settings.modelType = oneOf(field.named('model_type'), MODEL_TYPES);
    else if (field.number === 24) settings.spaceBehind = field.named('treat_whitespace_as_suffix').boolean();
    else if (field.number === 35) settings.byteFallback = field.named('byte_fallback').boolean();
    else if (field.number === 44) settings.unknownSurface = field.named('unk_surface').string();
    else if (field.number === 46) settings.bosPiece = field.named('bos_piece').string();
    else if (field.number === 47) settings.eosPiece = field.named('eos_piece').string();
    else if (field.number === 48) settings.padPiece = field.named('pad_piece').string();
  }
}

function readNormalizer(message: Field, settings: Settings): void {
  for (const each of message.message()) {
    if (each.number === 2) {
      const field = each.named('precompiled_charsmap');
      const bytes = field.bytes();
      settings.charsMap = bytes.length > 0 ? readCharsMap(bytes, (problem) => field.fail(problem)) : undefined;
    } else if (each.number === 3) settings.addDummyPrefix = each.named('add_dummy_prefix').boolean();
    else if (each.number === 4) settings.removeExtraSpaces = each.named('remove_extra_whitespaces').boolean();
    else if (each.number === 5) settings.escapeSpaces = each.named('escape_whitespaces').boolean();
  }
}

function refuseDenormalizer(message: Field): void {
  for (const field of message.message()) {
    if (field.number === 2 && field.bytes().length > 0) {
      message.fail('has a precompiled_charsmap: text that is changed after decoding is not supported');
    }
  }
}

function oneOf<T extends string>(field: Field, words: readonly T[]): T {
  const value = field.integer();
  return words[value - 1] ?? field.fail(`is ${value}; known are 1 to ${words.length}: ${words.join(', ')}`);
}

function checkPieces(pieces: readonly Piece[], byteFallback: boolean, name: string): void {
  const seen = new Map<string, number>();
  for (const [id, { text }] of pieces.entries()) {
    const before = seen.get(text);
    if (before !== undefined) throw new TokenizerError(`${name}: pieces ${before} and ${id} are both ${show(text)}`);
    seen.set(text, id);
  }
  const unknown = pieces.filter(({ type }) => type === 'unknown').length;
  if (unknown !== 1) {
    throw new TokenizerError(`${name}: ${unknown} of ${pieces.length} pieces are of type unknown; it must be one`);
  }
  const bytes = pieces.filter(({ type, text }) => type === 'byte' && /^<0x[\dA-F]{2}>$/.test(text)).length;
  if (bytes !== (byteFallback ? 256 : 0) || pieces.filter(({ type }) => type === 'byte').length !== bytes) {
    throw new TokenizerError(
      `${name}: byte_fallback is ${byteFallback}, and ${bytes} pieces are bytes, <0x00> to <0xFF>; ` +
        'all 256 belong to byte_fallback, and none without it',
    );
  }
}
