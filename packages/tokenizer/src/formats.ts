// Readers of single files, for those who don't have a folder for loadTokenizer.
export type { AddedToken } from './added-tokens.ts';
export type { Chat } from './chat/chat-template.ts';
export { sentencePiece, type SentencePieceOptions } from './sentencepiece/sentencepiece.ts';
export type { TiktokenEncoding } from './tiktoken/encodings.ts';
export { tiktoken, type TiktokenOptions } from './tiktoken/tiktoken.ts';
