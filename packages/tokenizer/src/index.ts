export { TokenizerError } from './errors.ts';
export { Encoding, type Offsets } from './encoding.ts';
export { Tokenizer, type DecodeOptions, type DecodeStream, type EncodeOptions } from './tokenizer.ts';
