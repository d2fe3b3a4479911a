// What the classes of transformers make of a SentencePiece model: each lists all tokens in the order of their ids.
import { SPECIAL, type AddedToken } from '../added-tokens.ts';
import type { Json } from '../json.ts';
import { readVocab } from '../models/vocab.ts';
import { normalForm } from '../normalizers/normal-form.ts';
import { replaceAll } from '../normalizers/replace.ts';
import { lowercase, stripAccents } from '../normalizers/unicode.ts';
import type { Piece, SentencePieceFile } from '../sentencepiece/file.ts';
import type { Edit } from '../text.ts';
import type { TokenizerConfig } from './config.ts';
import { M2M100, MBART, MBART50_MORE, NLLB, WMT21 } from './languages.ts';
import { around, bertTemplate, robertaTemplate, type Place } from './template.ts';

export interface Kind {
  /** Names of the classes of transformers, without the ending Tokenizer. */
  readonly classes: readonly string[];
  read(context: Context): Layout;
}

export interface Context {
  readonly file: SentencePieceFile;
  readonly config: TokenizerConfig;
  /** vocab.json, where the folder has one. */
  readonly vocab: Json | undefined;
}

export interface Layout {
  /** Differs from what the file says. */
  file?: Partial<SentencePieceFile>;
  /** The ids of the pieces, if they are not their places in the list. */
  vocab?: ReadonlyMap<string, number>;
  /** Beside the control pieces, which are all found in texts. */
  addedTokens?: readonly AddedToken[];
  /** The token that takes the spaces before it along. */
  mask?: string;
  /** What happens to a text before SentencePiece sees it. */
  before?: readonly Edit[];
  around(idOf: (token: string) => number): object;
}

/** Llama's tokens stand as the file has them. */
export const LLAMA: Kind = {
  classes: ['Llama', 'CodeLlama', 'Gemma', 'Mistral'],
  read: (context) => ({ around: ends(context, true, false) }),
};

/** T5's, too; behind them come <extra_id_0> and so on, numbered backwards. */
export const T5: Kind = {
  classes: ['T5', 'MT5'],
  read: (context) => {
    const json = context.config.json.at('extra_ids');
    const count = json.count(100);
    if (count > 10_000) json.fail(`is ${count}; at most 10000 are possible`);
    const last = context.file.pieces.length + count - 1;
    const sentinel = (_: unknown, i: number): AddedToken => ({ ...SPECIAL, id: last - i, content: `<extra_id_${i}>` });
    return { around: ends(context, false, true), addedTokens: Array.from({ length: count }, sentinel) };
  },
};

/** Every text with its beginning and its end, if asked for. */
function ends({ file, config: { json } }: Context, bos: boolean, eos: boolean): Layout['around'] {
  const begin = json.at('add_bos_token').boolean(bos) ? [file.bosPiece] : [];
  const end = json.at('add_eos_token').boolean(eos) ? [file.eosPiece] : [];
  const first: Place[] = [...begin, '$A', ...end];
  return (idOf) => around(first, [...first, ...begin, ['$B', 1], ...end], idOf);
}

const XLM_ROBERTA: Kind = {
  classes: ['XLMRoberta', 'LayoutXLM'],
  read: (context) => {
    const { cls, sep, mask } = fairseqNames(context);
    return { ...fairseq(context, [mask]), mask, around: (idOf) => robertaTemplate(cls, sep, idOf) };
  },
};

export const kinds: readonly Kind[] = [
  LLAMA,
  T5,
  XLM_ROBERTA,
  {
    classes: ['Camembert'],
    read: ({ file, config }) => {
      const { cls, sep, pad, unk, mask } = fairseqNames({ config });
      const first = [control('<s>NOTUSED'), control(pad), control('</s>NOTUSED'), unknown(unk), control('<unk>NOTUSED')];
      const pieces = [...first, ...file.pieces.slice(1), control(mask)];
      return { file: { pieces, unknownSurface: unk }, mask, around: (idOf) => robertaTemplate(cls, sep, idOf) };
    },
  },
  {
    classes: ['XGLM'],
    read: (context) => {
      const { sep } = fairseqNames(context);
      const words = Array.from({ length: 7 }, (_, i) => `<madeupword${i}>`);
      return { ...fairseq(context, words), around: (idOf) => around([sep, '$A'], [sep, '$A', sep, sep, '$B'], idOf) };
    },
  },
  { classes: ['MBart'], read: (context) => translator(context, MBART, 'en_XX', 'behind') },
  { classes: ['MBart50'], read: (context) => translator(context, [...MBART, ...MBART50_MORE], 'en_XX', 'before') },
  {
    classes: ['Nllb'],
    read: (context) => {
      const legacy = context.config.json.at('legacy_behaviour').boolean(false);
      return translator(context, NLLB, 'eng_Latn', legacy ? 'behind' : 'before');
    },
  },
  { classes: ['M2M100'], read: m2m100 },
  { classes: ['Pegasus'], read: pegasus },
  { classes: ['Albert'], read: (context) => bertLike(context, cleanUp(context, { accents: false, lower: true })) },
  { classes: ['FNet'], read: (context) => bertLike(context, cleanUp(context, { accents: true, lower: false })) },
  { classes: ['BigBird', 'RemBert'], read: (context) => bertLike(context, []) },
  { classes: ['DebertaV2'], read: debertaV2 },
  {
    classes: ['XLNet'],
    read: (context) => {
      const { config } = context;
      const [sep, cls] = [config.special('sep', '<sep>'), config.special('cls', '<cls>')];
      const first = ['$A', sep];
      return {
        ...bertLike(context, cleanUp(context, { accents: false, lower: false })),
        mask: config.special('mask', '<mask>'),
        around: (idOf) => around([...first, [cls, 2]], [...first, ['$B', 1], [sep, 1], [cls, 2]], idOf),
      };
    },
  },
  { classes: ['BertGeneration', 'Reformer'], read: (context) => ({ ...asWritten(context), around: bare }) },
]; // prettier-ignore

const control = (text: string): Piece => ({ text, score: 0, type: 'control' });
const unknown = (text: string): Piece => ({ text, score: 0, type: 'unknown' });
const bare: Layout['around'] = (idOf) => around(['$A'], ['$A', ['$B', 1]], idOf);

/** The pieces as the file numbers them. */
function asWritten({ file }: Context, mask?: string): Omit<Layout, 'around'> {
  const unknownSurface = file.pieces.find(({ type }) => type === 'unknown')!.text;
  return { file: { unknownSurface }, ...(mask !== undefined && { mask }) };
}

function fairseqNames({ config }: Pick<Context, 'config'>) {
  return {
    cls: config.special('cls', config.special('bos', '<s>')),
    pad: config.special('pad', '<pad>'),
    sep: config.special('sep', config.special('eos', '</s>')),
    unk: config.special('unk', '<unk>'),
    mask: config.special('mask', '<mask>'),
  };
}

/** fairseq's numbers: <s>, <pad>, </s>, <unk>, then the file's pieces without these, then more. */
function fairseq(context: Context, more: readonly string[]): { file: Partial<SentencePieceFile> } {
  const { cls, pad, sep, unk } = fairseqNames(context);
  const rest = context.file.pieces.slice(3);
  const strange = rest.findIndex(({ type }) => type === 'unknown');
  if (strange >= 0) {
    context.config.json.fail(
      `asks for fairseq's order, <unk>, <s> and </s> first, but piece ${strange + 3} is of type unknown`,
      'tokenizer_class',
    );
  }
  const taken = new Set(rest.map(({ text }) => text));
  const pieces = [control(cls), control(pad), control(sep), unknown(unk), ...rest];
  return {
    file: { pieces: [...pieces, ...more.filter((text) => !taken.has(text)).map(control)], unknownSurface: unk },
  };
}

/** A text with its end and its language. */
function translator(context: Context, codes: readonly string[], source: string, place: 'before' | 'behind'): Layout {
  const { sep, mask } = fairseqNames(context);
  return {
    ...fairseq(context, [...codes, mask]),
    mask,
    around: inLanguage(context, sep, source, place, (code) => code),
  };
}

function inLanguage(
  { config }: Context,
  end: string,
  fallback: string,
  place: 'before' | 'behind',
  tokenOf: (code: string) => string,
): Layout['around'] {
  const language = tokenOf(config.json.at('src_lang').string(fallback));
  const [before, behind] = place === 'before' ? [[language], [end]] : [[], [end, language]];
  return (idOf) => around([...before, '$A', ...behind], [...before, '$A', '$B', ...behind], idOf);
}

/** vocab.json numbers the pieces, and the languages follow. */
function m2m100(context: Context): Layout {
  const { config, vocab: json } = context;
  if (!json) return config.json.fail('needs vocab.json beside the model', 'tokenizer_class');
  const vocab = readVocab(json);
  const { cls, sep, pad, unk } = fairseqNames(context);
  const codes = config.json.at('language_codes').oneOf(['m2m100', 'wmt21'], 'm2m100') === 'wmt21' ? WMT21 : M2M100;
  const token = (code: string): string => `__${code}__`;
  const known = [cls, sep, pad, unk].flatMap((content) => {
    const id = vocab.get(content);
    return id === undefined ? [] : [{ ...SPECIAL, id, content }];
  });
  return {
    file: { unknownSurface: unk },
    vocab,
    addedTokens: [...known, ...codes.map((code, i) => ({ ...SPECIAL, id: vocab.size + i, content: token(code) }))],
    around: inLanguage(context, sep, 'en', 'before', token),
  };
}

/** <pad>, </s>, masks and unused tokens, then the file's pieces behind its first two. */
function pegasus({ file, config }: Context): Layout {
  const [pad, eos] = [config.special('pad', '<pad>'), config.special('eos', '</s>')];
  const offset = config.json.at('offset').count(103);
  const mask = config.special('mask', '<mask_2>');
  const sentence = config.json.at('mask_token_sent').string('<mask_1>');
  const unused = Array.from({ length: Math.max(0, offset - 2) }, (_, i) => `<unk_${i + 2}>`);
  const first = offset > 0 ? [pad, eos, sentence, mask, ...unused].slice(0, offset + 2).map(control) : file.pieces.slice(0, 2);
  const pieces = [...first, ...file.pieces.slice(2)];
  const unknownSurface = file.pieces.find(({ type }) => type === 'unknown')!.text;
  return { file: { pieces, unknownSurface }, mask, around: (idOf) => around(['$A', eos], ['$A', '$B', eos], idOf) };
} // prettier-ignore

function bertLike(context: Context, before: readonly Edit[]): Layout {
  const { config, file } = context;
  const [cls, sep] = [config.special('cls', '[CLS]'), config.special('sep', '[SEP]')];
  // A number and its comma are two tokens.
  const pieces = before.length > 0 ? file.pieces.map(withoutComma) : file.pieces;
  const layout = asWritten(context, config.special('mask', '[MASK]'));
  return { ...layout, file: { ...layout.file, pieces }, before, around: (idOf) => bertTemplate(cls, sep, idOf) };
}

function withoutComma(piece: Piece): Piece {
  return /\p{Nd},$/u.test(piece.text) ? { ...piece, score: piece.score - 100 } : piece;
}

/** Quotation marks of TeX, accents, case, and spaces of all kinds; the files may say otherwise. */
function cleanUp({ config: { json } }: Context, fallback: { accents: boolean; lower: boolean }): Edit[] {
  const edits = [replaceAll(/[\p{White_Space}\x1c-\x1f]+/gu, ' '), replaceAll('``', '"'), replaceAll("''", '"')];
  if (!json.at('keep_accents').boolean(fallback.accents)) edits.push(normalForm('NFKD'), stripAccents);
  if (json.at('do_lower_case').boolean(fallback.lower)) edits.push(lowercase);
  return edits;
}

/** The mask is the last token. */
function debertaV2(context: Context): Layout {
  const { file, config } = context;
  const { json } = config;
  if (json.at('split_by_punct').boolean(false)) json.fail('is true, which is not supported', 'split_by_punct');
  const mask = config.special('mask', '[MASK]');
  const pieces = file.pieces.some(({ text }) => text === mask) ? file.pieces : [...file.pieces, control(mask)];
  const layout = bertLike({ ...context, file: { ...file, pieces } }, []);
  return json.at('do_lower_case').boolean(false) ? { ...layout, before: [lowercase] } : layout;
}
