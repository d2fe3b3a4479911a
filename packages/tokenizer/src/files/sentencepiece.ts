// A SentencePiece model in a folder: what LlamaTokenizer, GemmaTokenizer and T5Tokenizer put around it, by the name of the class.
import { SPECIAL, type AddedToken } from '../added-tokens.ts';
import { TokenizerError } from '../errors.ts';
import type { Json } from '../json.ts';
import { sentencePiece } from '../sentencepiece/sentencepiece.ts';
import type { Tokenizer } from '../tokenizer.ts';
import type { TokenizerConfig } from './config.ts';

const LLAMA = ['Llama', 'CodeLlama', 'Gemma', 'Mistral'];
const T5 = ['T5', 'MT5'];

export function sentencePieceFiles(bytes: Uint8Array, name: string, config: TokenizerConfig): Tokenizer {
  const { json, chat } = config;
  const kind = config.className.replace(/Tokenizer$/, '');
  const t5 = T5.includes(kind) || (kind === '' && name === 'spiece.model');
  // Other classes number the pieces in another way, or change the text before.
  if (!t5 && !LLAMA.includes(kind) && kind !== '') {
    const known = [...LLAMA, ...T5].map((each) => `${each}Tokenizer`).join(', ');
    throw new TokenizerError(
      `tokenizer_config.json: tokenizer_class is ${config.className}; with ${name} known are ${known}`,
    );
  }
  const bare = sentencePiece(bytes, { name });
  const names = [...bare.specialTokens.keys(), config.special('unk', '<unk>')];
  const added = config.addedTokens((token) => bare.tokenToId(token), names);
  const extra = t5 ? sentinels(json.at('extra_ids'), bare.vocabSize, added) : [];
  return sentencePiece(bytes, {
    name,
    addBos: json.at('add_bos_token').boolean(!t5),
    addEos: json.at('add_eos_token').boolean(t5),
    addedTokens: [...added, ...extra],
    chat,
  });
}

/** <extra_id_0> and so on, numbered backwards behind the pieces, unless the files list them. */
function sentinels(json: Json, start: number, added: readonly AddedToken[]): AddedToken[] {
  const listed = added.some(({ content }) => content === '<extra_id_0>');
  const count = listed ? 0 : json.count(100);
  if (count > 10_000) json.fail(`is ${count}; at most 10000 are possible`);
  return Array.from({ length: count }, (_, i) => ({
    ...SPECIAL,
    id: start + count - 1 - i,
    content: `<extra_id_${i}>`,
  }));
}
