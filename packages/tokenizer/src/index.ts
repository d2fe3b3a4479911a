export { TokenizerError } from './errors.ts';
export { type Encoding, type Offsets } from './encoding.ts';
export { sentencePiece, type SentencePieceOptions } from './sentencepiece/sentencepiece.ts';
export { Tokenizer, type DecodeOptions, type DecodeStream, type EncodeOptions } from './tokenizer.ts';
export { type Padding, type Truncation } from './truncation.ts';
