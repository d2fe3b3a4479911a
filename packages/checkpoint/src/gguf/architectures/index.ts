// The architectures that can be read, by `general.architecture`.
import type { Architecture } from './architecture.ts';
import { bert } from './bert.ts';
import { gemma, gemma2, gemma3 } from './gemma.ts';
import { gpt2 } from './gpt2.ts';
import { llama } from './llama.ts';
import { phi3 } from './phi3.ts';
import { qwen2, qwen3, qwen3moe } from './qwen.ts';
import { t5 } from './t5.ts';

export const architectures: ReadonlyMap<string, Architecture> = new Map(
  Object.entries({ llama, qwen2, qwen3, qwen3moe, gemma, gemma2, gemma3, phi3, gpt2, bert, t5 }),
);
