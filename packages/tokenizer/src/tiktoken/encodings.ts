// The encodings that are known by name: the expression that cuts text into words, and the special tokens. A tiktoken file
// holds neither.

export interface TiktokenEncoding {
  /** In the syntax of tokenizer.json: `\z` is the end of the text, and `$` would be the end of a line. */
  readonly pattern: string;
  readonly specialTokens: Readonly<Record<string, number>>;
}

const GPT2 = String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+\z|\s+(?!\S)|\s`;
const SUFFIX = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`;
const CL100K = String.raw`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+\z|\s*[\r\n]|\s+(?!\S)|\s`;
const LLAMA3 = String.raw`${SUFFIX}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const O200K =
  String.raw`[^\r\n\p{L}\p{N}]?${UPPER}*${LOWER}+${SUFFIX}?|[^\r\n\p{L}\p{N}]?${UPPER}+${LOWER}*${SUFFIX}?|` +
  String.raw`\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

export const encodings = {
  gpt2: { pattern: GPT2, specialTokens: { '<|endoftext|>': 50256 } },
  r50k_base: { pattern: GPT2, specialTokens: { '<|endoftext|>': 50256 } },
  p50k_base: { pattern: GPT2, specialTokens: { '<|endoftext|>': 50256 } },
  p50k_edit: {
    pattern: GPT2,
    specialTokens: {
      '<|endoftext|>': 50256,
      '<|fim_prefix|>': 50281,
      '<|fim_middle|>': 50282,
      '<|fim_suffix|>': 50283,
    },
  },
  cl100k_base: {
    pattern: CL100K,
    specialTokens: {
      '<|endoftext|>': 100257,
      '<|fim_prefix|>': 100258,
      '<|fim_middle|>': 100259,
      '<|fim_suffix|>': 100260,
      '<|endofprompt|>': 100276,
    },
  },
  o200k_base: { pattern: O200K, specialTokens: { '<|endoftext|>': 199999, '<|endofprompt|>': 200018 } },
  llama3: { pattern: LLAMA3, specialTokens: llama3() },
} as const satisfies Record<string, TiktokenEncoding>;

/** 256 tokens behind the 128,000 of the file, most of them reserved. */
function llama3(): Record<string, number> {
  const named = ['<|begin_of_text|>', '<|end_of_text|>', 0, 1, 2, 3, '<|start_header_id|>', '<|end_header_id|>', 4, '<|eot_id|>']; // prettier-ignore
  const all = Array.from({ length: 256 }, (_, i) => named[i] ?? i - 5);
  return Object.fromEntries(
    all.map((name, i) => [typeof name === 'number' ? `<|reserved_special_token_${name}|>` : name, 128_000 + i]),
  );
}
