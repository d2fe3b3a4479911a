// Small models of fixtures/ with a tokenizer of made-up words, and whatever further files a test wants.
import { fileURLToPath } from 'node:url';
import { folder } from '@transept/checkpoint';
import type { Files } from '@transept/checkpoint';
import { reference } from '@transept/tensor';
import { load } from '../load.ts';
import type { TextModel } from '../load.ts';

const root = fileURLToPath(new URL('../../../../fixtures/hf', import.meta.url));

/** Files of a folder, with some in memory beside them or in their place. */
export function overlaid(files: Files, added: Readonly<Record<string, unknown>>): Files {
  const bytes = (path: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(added[path]));
  const has = (path: string): boolean => Object.hasOwn(added, path);
  return {
    name: files.name.split('/').at(-1)!,
    has: async (path, options) => has(path) || files.has(path, options),
    size: async (path, options) => (has(path) ? bytes(path).length : files.size(path, options)),
    read: async (path, options = {}) =>
      has(path) ? bytes(path).slice(options.start, options.end) : files.read(path, options),
  };
}

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** Words `w5`, `w6`, … of which each is a token, put between [CLS] and [SEP]. */
export const wordTokenizer = (vocabSize: number): unknown => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: special.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: null,
  pre_tokenizer: { type: 'WhitespaceSplit' },
  post_processor: {
    type: 'BertProcessing',
    sep: ['[SEP]', 3],
    cls: ['[CLS]', 2],
  },
  decoder: null,
  model: {
    type: 'WordLevel',
    vocab: Object.fromEntries(Array.from({ length: vocabSize }, (_, id) => [special[id] ?? `w${id}`, id])),
    unk_token: '[UNK]',
  },
});

/** A folder of fixtures/hf on the reference backend. */
export const openFixture = (
  name: string,
  vocabSize: number,
  added: Readonly<Record<string, unknown>> = {},
): Promise<TextModel> =>
  load(overlaid(folder(`${root}/${name}`), { 'tokenizer.json': wordTokenizer(vocabSize), ...added }), {
    backend: reference(),
  });
