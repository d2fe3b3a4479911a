// Folders without tokenizer.json: SentencePiece models and byte-level vocabularies of the classes of transformers, against
// SentencePiece and transformers itself. `plain` are ids without special tokens.
import { describe, expect, it } from 'vitest';
import { loadTokenizer, type Tokenizer } from '../index.ts';
import { fixture, fixtureJson, memory } from '../testing.ts';

interface Folder {
  config: Record<string, unknown>;
  rows: { text: string; ids?: number[]; plain?: number[]; decoded?: string }[];
  /** The ids of "What say you" and "my lord", and their types. */
  pair?: number[];
  types?: number[];
}
interface Golden {
  sentencePiece: Record<string, Folder & { model: string; file: string; vocab?: Record<string, number> }>;
  bytePair: Record<string, Folder & { vocab?: Record<string, number>; merges?: string }>;
}

const golden = fixtureJson<Golden>('folders/golden.json');

function expectRows(tokenizer: Tokenizer, { rows, pair, types }: Folder): void {
  expect(rows.length).toBeGreaterThan(20);
  for (const { text, ids, plain, decoded } of rows) {
    const found = {
      text,
      ...(ids && { ids: tokenizer.ids(text) }),
      ...(plain && { plain: tokenizer.ids(text, { addSpecialTokens: false }) }),
      ...(decoded !== undefined && { decoded: tokenizer.decode(tokenizer.ids(text)) }),
    };
    expect(found).toEqual({
      text,
      ...(ids && { ids }),
      ...(plain && { plain }),
      ...(decoded !== undefined && { decoded }),
    });
  }
  const { ids, typeIds } = tokenizer.encode('What say you', { pair: 'my lord' });
  if (pair) expect(ids).toEqual(pair);
  if (types) expect(typeIds).toEqual(types);
}

async function load(contents: Record<string, unknown>): Promise<Tokenizer> {
  return (await loadTokenizer(memory(contents)))!;
}

async function loadModel(name: string, config?: object, more?: object): Promise<Tokenizer> {
  const { model, file, vocab, ...folder } = golden.sentencePiece[name]!;
  return load({
    [file]: fixture(`folders/${model}.model`),
    'tokenizer_config.json': config ?? folder.config,
    ...(vocab && { 'vocab.json': vocab }),
    ...more,
  });
}

describe('SentencePiece models of', () => {
  it.each(Object.entries(golden.sentencePiece))('%s', async (name, folder) => {
    expectRows(await loadModel(name), folder);
  });

  it('translators know their languages', async () => {
    const nllb = await loadModel('nllb');
    const size = 300; // of the model; ids are one more, and languages follow
    expect(nllb.tokenToId('ace_Arab')).toBe(size + 1);
    expect(nllb.tokenToId('deu_Latn')).toBe(size + 1 + 41);
    expect(nllb.tokenToId('<mask>')).toBe(size + 1 + 202);
    expect(nllb.encode('you').tokens).toEqual(['deu_Latn', '▁you', '</s>']);
    const legacy = await loadModel('nllb', { tokenizer_class: 'NllbTokenizer', legacy_behaviour: true });
    expect(legacy.encode('you').tokens).toEqual(['▁you', '</s>', 'eng_Latn']);
    const m2m = await loadModel('m2m');
    expect(m2m.tokenToId('__af__')).toBe(Object.keys(golden.sentencePiece['m2m']!.vocab!).length);
    expect(m2m.encode('__de__ you').tokens.slice(0, 2)).toEqual(['__de__', '__de__']);
    const wmt = await loadModel('m2m', { tokenizer_class: 'M2M100Tokenizer', language_codes: 'wmt21' });
    expect(wmt.encode('you').tokens).toEqual(['__en__', '▁you', '</s>']);
  });

  it('a class that only config.json tells', async () => {
    const tokenizer = await loadModel('deberta', {}, { 'config.json': { model_type: 'deberta-v2' } });
    expectRows(tokenizer, golden.sentencePiece['deberta']!);
    const other = await loadModel('xlmr', {}, { 'config.json': { tokenizer_class: 'XLMRobertaTokenizer' } });
    expectRows(other, golden.sentencePiece['xlmr']!);
  });

  it('XLNet end with <cls> of type 2', async () => {
    const config = { tokenizer_class: 'XLNetTokenizer', sep_token: '[SEP]', cls_token: '[CLS]', mask_token: '[MASK]' };
    const { tokens, typeIds } = (await loadModel('albert', config)).encode('a', { pair: 'be' });
    expect(tokens).toEqual(['▁a', '[SEP]', '▁be', '[SEP]', '[CLS]']);
    expect(typeIds).toEqual([0, 0, 1, 1, 2]);
  });

  it('Pegasus without an offset keep their numbers', async () => {
    const tokenizer = await loadModel('pegasus', { tokenizer_class: 'PegasusTokenizer', offset: 0 });
    const offset = await loadModel('pegasus');
    const plain = { addSpecialTokens: false };
    expect(tokenizer.ids('you', plain).map((id) => id + 103)).toEqual(offset.ids('you', plain));
  });

  it.each([
    ['xlmr', { tokenizer_class: 'BarthezTokenizer' }, 'tokenizer_class: is BarthezTokenizer; with sentencepiece.bpe.model known are LlamaTokenizer,'],
    ['mbart', { tokenizer_class: 'MBartTokenizer', src_lang: 'xx' }, 'there is no token xx, which MBart puts around a text'],
    ['deberta', { tokenizer_class: 'XLMRobertaTokenizer' }, "asks for fairseq's order"],
    ['deberta', { tokenizer_class: 'DebertaV2Tokenizer', split_by_punct: true }, 'split_by_punct: is true, which is not supported'],
    ['xlmr', { tokenizer_class: 'M2M100Tokenizer' }, 'needs vocab.json'],
  ])('%s with %j are refused', async (name, config, message) => {
    await expect(loadModel(name, config)).rejects.toThrow(message);
  });
}); // prettier-ignore

describe('vocab.json and merges.txt of', () => {
  const files = (name: string, config?: object): Record<string, unknown> => {
    const { vocab, merges, config: own } = golden.bytePair[name]!;
    const { blenderbot } = golden.bytePair; // BART's are the same
    return {
      'vocab.json': vocab ?? blenderbot!.vocab,
      'merges.txt': merges ?? blenderbot!.merges,
      'tokenizer_config.json': config ?? own,
    };
  };

  it.each(Object.entries(golden.bytePair))('%s', async (name, folder) => {
    expectRows(await load(files(name)), folder);
  });

  it('BlenderbotSmall refuse a merge of three', async () => {
    await expect(load({ ...files('small'), 'merges.txt': 'a b c' })).rejects.toThrow(
      'merges.txt: "a b c" is no merge; it must be two parts with a space between',
    );
  });

  it('Blenderbot end with </s>', async () => {
    expect((await load(files('blenderbot'))).encode('you').tokens).toEqual(['Ġyou', '</s>']);
  });

  it('Whisper take a language by its code, and refuse one without a token', async () => {
    const { config } = golden.bytePair['whisper']!;
    const chinese = await load(files('whisper', { ...config, language: 'zh', task: null, predict_timestamps: true }));
    expect(chinese.encode('a').tokens).toEqual(['<|startoftranscript|>', '<|zh|>', 'a', '<|endoftext|>']);
    await expect(load(files('whisper', { ...config, language: 'french' }))).rejects.toThrow(
      'tokenizer_config.json: language: is french, which no token stands for, such as <|en|> for English',
    );
  });
});
