// The tokenizer of the default model against what its author's tokenizer gives, row by row.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, Tokenizer } from './index.ts';
import { memory } from './testing.ts';

interface Row {
  source: string;
  input_ids: number[];
  greedy: number[];
  greedy_text: string;
  beam4: number[];
  beam4_text: string;
}

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const tokenizer = await Tokenizer.fromJSON(read('models/marian-de-en/tokenizer.json'));
const older = ['source.spm', 'target.spm', 'vocab.json', 'tokenizer_config.json'];
const { rows } = JSON.parse(read('fixtures/marian-de-en/golden-text.json')) as { rows: Row[] };

describe('the default model', () => {
  it('has rows to compare', () => {
    expect(rows.length).toBeGreaterThanOrEqual(200);
  });

  it('encodes every source', () => {
    expect(rows.map(({ source }) => tokenizer.ids(source))).toEqual(rows.map((row) => row.input_ids));
  });

  it('decodes every translation', () => {
    const texts = rows.flatMap(({ greedy, beam4 }) => [tokenizer.decode(greedy), tokenizer.decode(beam4)]);
    expect(texts).toEqual(rows.flatMap((row) => [row.greedy_text, row.beam4_text]));
  });

  it('streams the same text as it decodes', () => {
    for (const { greedy, greedy_text } of rows) {
      const stream = tokenizer.stream();
      expect(greedy.map((id) => stream.push(id)).join('') + stream.end()).toBe(greedy_text);
    }
  });

  it('turns unknown characters into the unknown piece, one for a run', () => {
    const { ids, tokens, offsets } = tokenizer.encode('Ein 汉字 Test');
    expect(tokens).toEqual(['▁Ein', '▁', '汉字', '▁Test', '</s>']);
    expect(ids[2]).toBe(1);
    expect(offsets).toEqual([[0, 3], [3, 4], [4, 6], [6, 11], [0, 0]]); // prettier-ignore
  });

  it('does the same from the files of MarianTokenizer', async () => {
    const folder = memory(
      Object.fromEntries(older.map((name) => [name, readFileSync(new URL(`models/marian-de-en/${name}`, root))])),
    );
    const other = (await loadTokenizer(folder))!;
    expect(rows.map(({ source }) => other.ids(source))).toEqual(rows.map((row) => row.input_ids));
    expect(rows.map(({ beam4 }) => other.decode(beam4))).toEqual(rows.map((row) => row.beam4_text));
  });

  it('has only the end token for an empty text', () => {
    expect(tokenizer.ids('')).toEqual([0]);
    expect(tokenizer.ids('', { addSpecialTokens: false })).toEqual([]);
  });

  it('knows its tokens', () => {
    expect(tokenizer.vocabSize).toBe(6001);
    expect(tokenizer.tokenToId('▁Tom')).toBe(3);
    expect(tokenizer.idToToken(6000)).toBe('<pad>');
    expect(tokenizer.specialTokens).toEqual(new Map([['</s>', 0], ['<unk>', 1], ['<pad>', 6000]])); // prettier-ignore
  });
});
