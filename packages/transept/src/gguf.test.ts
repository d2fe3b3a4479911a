import { readFileSync } from 'node:fs';
import { folder, gguf, readJson, type JsonObject } from '@transept/checkpoint';
import { loadTokenizer, Tokenizer } from '@transept/tokenizer';
import { describe, expect, it } from 'vitest';

const place = new URL('../../../fixtures/gguf/', import.meta.url).pathname;

interface Row {
  readonly text: string;
  readonly ids: readonly number[];
  readonly decoded?: string;
}
const golden = JSON.parse(readFileSync(`${place}vocab.json`, 'utf8')) as Record<string, readonly Row[]>;

/** The vocabularies come without a model: what reads them is asked directly. */
async function tokenizerJson(name: string): Promise<JsonObject> {
  const { readGgufHeader } = await import('@transept/checkpoint');
  const { readTokenizer } = await import('../../checkpoint/src/gguf/tokenizer/index.ts');
  const { metadata } = await readGgufHeader(folder(place), `vocab-${name}.gguf`);
  return readTokenizer(metadata)!.tokenizer;
}

describe('the tokenizer in a GGUF file', () => {
  it.each(Object.keys(golden))('%s does what the library does that it was made with', async (name) => {
    const tokenizer = Tokenizer.fromJSON(await tokenizerJson(name));
    for (const { text, ids, decoded } of golden[name]!) {
      expect({ text, ids: tokenizer.ids(text) }).toEqual({ text, ids });
      if (decoded !== undefined) expect(tokenizer.decode(ids)).toBe(decoded);
    }
  });

  it('comes with the model, as its folder has it', async () => {
    const files = await gguf(folder(place), 'stories260k-q8_0.gguf');
    expect(await readJson(files, 'tokenizer_config.json')).toMatchObject({ bos_token: '<s>', eos_token: '</s>' });
    expect(await readJson(files, 'generation_config.json')).toEqual({ bos_token_id: 1, eos_token_id: 2 });
    const tokenizer = (await loadTokenizer(files))!;
    expect(tokenizer.ids('Once upon a time')).toEqual([1, 403, 407, 261, 378]);
    expect(tokenizer.decode([403, 407, 261, 378])).toBe('Once upon a time');
  });
});
