export {
  ChatTemplate,
  type Chat,
  type ChatMessage,
  type ChatOptions,
  type ChatTemplateParts,
} from './chat/chat-template.ts';
export { TokenizerError } from './errors.ts';
export { type Encoding, type Offsets } from './encoding.ts';
export type { FileOptions, TokenizerFiles } from './files/files.ts';
export { loadTokenizer } from './load.ts';
export { Tokenizer, type DecodeOptions, type DecodeStream, type EncodeOptions } from './tokenizer.ts';
export { type Padding, type Truncation } from './truncation.ts';
