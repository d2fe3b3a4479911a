// ByteLevel and ByteFallback: tokens that are bytes become characters again.
import { CHARACTER_BYTES } from '../byte-level.ts';
import type { Decoder } from './step.ts';

const encoder = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Every character of GPT-2's alphabet is a byte; a token with any other character stands for itself. */
export const byteLevel: Decoder = {
  start: (emit) => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let begun = false;
    const give = (text: string): void => {
      if (text) emit(text, begun);
      begun ||= text !== '';
    };
    return {
      push: (text) => give(decoder.decode(bytesOf(text), { stream: true })),
      end: () => give(decoder.decode()),
    };
  },
  fuses: true,
};

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const byte = CHARACTER_BYTES[text.charCodeAt(i)] ?? -1;
    if (byte < 0) return encoder.encode(text);
    bytes[i] = byte;
  }
  return bytes;
}

/** A run of tokens like <0xE2> is one text, or one U+FFFD a token when its bytes are no UTF-8. */
export const byteFallback: Decoder = {
  start: (emit) => {
    let bytes: number[] = [];
    const release = (): void => {
      if (bytes.length === 0) return;
      try {
        emit(strict.decode(Uint8Array.from(bytes)), false);
      } catch {
        for (const _ of bytes) emit('\ufffd', false);
      }
      bytes = [];
    };
    return {
      push: (text) => {
        const byte = /^<0x([\da-fA-F]{2})>$/.exec(text)?.[1];
        if (byte) {
          bytes.push(parseInt(byte, 16));
        } else {
          release();
          emit(text, false);
        }
      },
      end: release,
    };
  },
};
