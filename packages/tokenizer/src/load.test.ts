// Every kind of folder: vocabularies taken apart into older files give what the whole tokenizer.json gives.
import { describe, expect, it } from 'vitest';
import { loadTokenizer, type Offsets, type Tokenizer } from './index.ts';
import { fixture, fixtureJson, memory } from './testing.ts';

interface Golden {
  cases: { text: string; ids: number[]; rawIds: number[]; rawTokens: string[]; rawOffsets: Offsets[]; decodedSkip: string }[];
  pairs: { text: string; pair: string; ids: number[]; typeIds: number[] }[];
} // prettier-ignore
interface Parts {
  model: { vocab: Record<string, number>; merges: string[] };
}

const golden = (name: string): Golden => fixtureJson<Golden>(`${name}/golden.json`);
const models = new Map<string, Parts['model']>();
function model(name: string): Parts['model'] {
  const found = models.get(name) ?? fixtureJson<Parts>(`${name}/tokenizer.json`).model;
  models.set(name, found);
  return found;
}

async function load(contents: Record<string, unknown>): Promise<Tokenizer> {
  return (await loadTokenizer(memory(contents)))!;
}

function expectRows(tokenizer: Tokenizer, { cases, pairs }: Golden): void {
  expect(cases.length).toBeGreaterThanOrEqual(100);
  for (const row of cases) {
    const raw = tokenizer.encode(row.text, { addSpecialTokens: false, offsets: 'codePoints' });
    expect({
      ids: tokenizer.ids(row.text),
      rawIds: raw.ids,
      rawTokens: raw.tokens,
      rawOffsets: raw.offsets,
      decodedSkip: tokenizer.decode(row.ids),
    }).toEqual({
      ids: row.ids,
      rawIds: row.rawIds,
      rawTokens: row.rawTokens,
      rawOffsets: row.rawOffsets,
      decodedSkip: row.decodedSkip,
    });
  }
  for (const row of pairs) {
    const { ids, typeIds } = tokenizer.encode(row.text, { pair: row.pair });
    expect({ ids, typeIds }).toEqual({ ids: row.ids, typeIds: row.typeIds });
  }
}

describe('vocab.txt', () => {
  const { vocab } = model('bert-base-uncased');
  const lines = Object.entries(vocab).sort((a, b) => a[1] - b[1]);
  const text = lines.map(([token]) => `${token}\n`).join('');

  it('gives the rows of BERT, without any config', async () => {
    expectRows(await load({ 'vocab.txt': text }), golden('bert-base-uncased'));
  });

  it('gives the rows of BERT for lines of Windows', async () => {
    const files = { 'vocab.txt': text.replaceAll('\n', '\r\n'), 'tokenizer_config.json': { tokenizer_class: 'BertTokenizerFast' } };
    expectRows(await load(files), golden('bert-base-uncased'));
  }); // prettier-ignore

  it('honours the options of the config', async () => {
    const small = '[PAD]\n[UNK]\n[CLS]\n[SEP]\nHello\nhello\né\ne\n你好\n你\n##好\n好';
    const tokens = async (config: object, text: string): Promise<readonly string[]> =>
      (await load({ 'vocab.txt': small, 'tokenizer_config.json': config })).encode(text).tokens;
    expect(await tokens({}, 'Hello é 你好')).toEqual(['[CLS]', 'hello', 'e', '你', '好', '[SEP]']);
    expect(await tokens({ do_lower_case: false }, 'Hello é')).toEqual(['[CLS]', 'Hello', 'é', '[SEP]']);
    expect(await tokens({ strip_accents: false }, 'Hello é')).toEqual(['[CLS]', 'hello', 'é', '[SEP]']);
    expect(await tokens({ do_lower_case: false, strip_accents: true }, 'é')).toEqual(['[CLS]', 'e', '[SEP]']);
    expect(await tokens({ tokenize_chinese_chars: false }, '你好')).toEqual(['[CLS]', '你好', '[SEP]']);
    expect(await tokens({ cls_token: '[SEP]' }, 'e')).toEqual(['[SEP]', 'e', '[SEP]']);
  });

  it('puts the tokens of MPNet around', async () => {
    const files = {
      'vocab.txt': '<s>\n<pad>\n</s>\n<unk>\na\nb\n[UNK]\n<mask>',
      'tokenizer_config.json': { tokenizer_class: 'MPNetTokenizer' },
    };
    const { tokens, typeIds } = (await load(files)).encode('a <mask>', { pair: 'b' });
    expect(tokens).toEqual(['<s>', 'a', ' <mask>', '</s>', '</s>', 'b', '</s>']);
    expect(typeIds).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  it.each([
    [
      { tokenizer_class: 'BertJapaneseTokenizer' },
      'tokenizer_config.json: tokenizer_class: is BertJapaneseTokenizer; with vocab.txt known are BertTokenizer,',
    ],
    [{ cls_token: '[X]' }, 'vocab.txt: the special token [X] is missing'],
    [{ do_lower_case: 'yes' }, 'tokenizer_config.json: do_lower_case: is "yes"; it must be true or false'],
    [{ mask_token: 3 }, 'tokenizer_config.json: mask_token: is 3; it must be a string'],
    [
      { added_tokens_decoder: { x: { content: 'a' } } },
      'tokenizer_config.json: added_tokens_decoder.x: has a key that is no id',
    ],
  ])('refuses %j', async (config, message) => {
    // prettier-ignore
    await expect(load({ 'vocab.txt': text, 'tokenizer_config.json': config })).rejects.toThrow(message);
  });
});

describe('vocab.json and merges.txt', () => {
  const files = (name: string): Record<string, unknown> => {
    const { vocab, merges } = model(name);
    return { 'vocab.json': vocab, 'merges.txt': `#version: 0.2\n${merges.join('\n')}\n` };
  };

  it.each(['gpt2', 'roberta-base'])('gives the rows of %s', async (name) => {
    expectRows(await load(files(name)), golden(name));
  });

  it('begins with a token when asked to, as for OPT', async () => {
    const config = { tokenizer_class: 'GPT2Tokenizer', add_bos_token: true, bos_token: { content: '</s>' }, unk_token: '</s>' };
    const tokenizer = await load({ ...files('roberta-base'), 'tokenizer_config.json': config });
    expect(tokenizer.encode('Hello').tokens).toEqual(['</s>', 'Hello']);
    expect(tokenizer.encode('a', { pair: 'b' }).typeIds).toEqual([0, 0, 1]);
  }); // prettier-ignore

  it('finds added tokens of every file', async () => {
    const tokenizer = await load({
      ...files('gpt2'),
      'added_tokens.json': { '<x>': 50257, '<y>': 50258 },
      'special_tokens_map.json': { additional_special_tokens: ['<y>'] },
      'tokenizer_config.json': {
        added_tokens_decoder: { 50259: { content: '<z>', lstrip: true, special: true } },
      },
    });
    expect(tokenizer.ids('a<x>b <y> <z>')).toEqual([64, 50257, 65, 220, 50258, 50259]);
    expect([...tokenizer.specialTokens.keys()].sort()).toEqual(['<y>', '<z>', '<|endoftext|>']);
  });

  it('cuts as Qwen2 does', async () => {
    const tokenizer = await load({ ...files('gpt2'), 'tokenizer_config.json': { tokenizer_class: 'Qwen2Tokenizer' } });
    expect(tokenizer.encode('in 12 e\u0301').tokens).toEqual(['in', 'Ġ', '1', '2', 'ĠÃ©']);
  });

  it('refuses what it does not know', async () => {
    const config = { tokenizer_class: 'FlaubertTokenizer' };
    await expect(load({ ...files('gpt2'), 'tokenizer_config.json': config })).rejects.toThrow(
      'tokenizer_config.json: tokenizer_class: is FlaubertTokenizer; with vocab.json and merges.txt known are GPT2Tokenizer,',
    );
    await expect(load({ 'vocab.json': { a: 0 }, 'merges.txt': 'a b\n' })).rejects.toThrow(
      'vocab.json and merges.txt: model.merges[0]: names the token "b", which is not in vocab',
    );
    await expect(load({ 'vocab.json': '{', 'merges.txt': '' })).rejects.toThrow('vocab.json: is no JSON: ');
  });
});

describe('SentencePiece models in folders', () => {
  it('end with </s> for T5, whose sentinels stand behind the pieces', async () => {
    const tokenizer = await load({ 'spiece.model': fixture('t5-base/spiece.model') });
    const { cases } = golden('t5-small');
    const plain = cases.filter(({ text }) => /^[\w .,]+$/.test(text));
    expect(plain.length).toBeGreaterThan(5);
    for (const { text, ids, decodedSkip } of plain) {
      expect(tokenizer.ids(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decodedSkip);
    }
    expect(tokenizer.tokenToId('<extra_id_0>')).toBe(32099);
    expect(tokenizer.ids('<extra_id_99> a')).toEqual([32000, 3, 9, 1]);
  });

  it('begin with <s> for Llama, and find their special tokens in texts', async () => {
    const bytes = fixture('spm-options/bpe-bytes.model');
    const tokenizer = await load({ 'tokenizer.model': bytes });
    expect(tokenizer.encode('you</s>').tokens).toEqual(['<s>', '▁you', '</s>']);
    const config = { tokenizer_class: 'LlamaTokenizer', add_bos_token: false, add_eos_token: true };
    const other = await load({ 'tokenizer.model': bytes, 'tokenizer_config.json': config });
    expect(other.encode('you').tokens).toEqual(['▁you', '</s>']);
  });

  it('come in two for Marian, with a vocabulary of its own', async () => {
    const source = fixture('spm-options/unigram-suffix.model');
    const vocab = { '</s>': 0, '<unk>': 1, 'the▁': 2, 'a': 3, '▁you': 4, '>>deu<<': 5, '<pad>': 6 }; // prettier-ignore
    const tokenizer = await load({
      'source.spm': source,
      'target.spm': fixture('spm-options/bpe-bytes.model'),
      'vocab.json': vocab,
    });
    const { ids, tokens } = tokenizer.encode('>>deu<< the a');
    expect(tokens.slice(0, 3)).toEqual(['>>deu<< ', 'the▁', 'a']);
    expect(ids).toEqual([5, 2, 3, 1, 0]);
    expect(tokenizer.decode([4, 4, 0, 6])).toBe('you you');
  });

  it('may be tiktoken files, as for Llama 3', async () => {
    const tokenizer = await load({ 'tokenizer.model': fixture('tiktoken/gpt2-3000.tiktoken') });
    expect(tokenizer.encode('<|begin_of_text|>the').ids).toEqual([128000, 1169]);
  });
});

describe('tokenizer.json', () => {
  it('is preferred', async () => {
    const tokenizer = await load({ 'tokenizer.json': fixture('gpt2/tokenizer.json'), 'vocab.txt': '' });
    expectRows(tokenizer, golden('gpt2'));
  });

  it('and nothing else is no tokenizer', async () => {
    expect(await loadTokenizer(memory({ 'config.json': {} }))).toBeUndefined();
  });
});
