import { describe, expect, it, vi } from 'vitest';
import { loadTokenizer, TokenizerError, type TokenizerFiles } from '../index.ts';
import { memory } from '../testing.ts';

const TOO_MANY = 128e6 + 1;

describe('files of a tokenizer', () => {
  it.each(['tokenizer.json', 'tokenizer.model', 'vocab.txt', 'tokenizer_config.json'])(
    'are not read if too large: %s',
    async (path) => {
      const read = vi.fn<TokenizerFiles['read']>();
      const files: TokenizerFiles = { has: async (name) => name === path, size: async () => TOO_MANY, read };
      const error = await loadTokenizer(files).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(TokenizerError);
      expect((error as Error).message).toBe(`${path}: has 128000001 bytes; at most 128000000 are read`);
      expect(read).not.toHaveBeenCalled();
    },
  );

  it('are refused if too large where nobody tells their size', async () => {
    const files = memory({ 'tokenizer.json': new Uint8Array(TOO_MANY) });
    await expect(loadTokenizer(files)).rejects.toThrow(
      'tokenizer.json: has 128000001 bytes; at most 128000000 are read',
    );
  });

  it.each(['tokenizer.json', 'vocab.txt', 'chat_template.jinja'])('are refused if no UTF-8: %s', async (path) => {
    const files = memory({ [path]: Uint8Array.of(0x22, 0xff, 0x22) });
    const error = await loadTokenizer(files).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TokenizerError);
    expect((error as Error).message).toBe(`${path}: is no UTF-8; it must be text in UTF-8`);
  });

  it('are asked for their size with the signal that they are read with', async () => {
    const { signal } = new AbortController();
    const size = vi.fn<NonNullable<TokenizerFiles['size']>>(async () => 10);
    await loadTokenizer({ ...memory({ 'vocab.txt': '[UNK]\n[CLS]\n[SEP]\n[PAD]\n[MASK]\n' }), size }, { signal });
    expect(size.mock.calls).toEqual([['vocab.txt', { signal }]]);
  });
});
