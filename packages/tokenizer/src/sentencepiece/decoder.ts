// SentencePiece's Decode: ▁ becomes a space, except the one that was put in front; unknown tokens become a sign; runs of byte
// tokens become characters, and every byte that is part of none U+FFFD.
import type { Decoder } from '../decoders/step.ts';
import type { SentencePieceFile } from './file.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function decoder(file: SentencePieceFile): Decoder {
  const { pieces, addDummyPrefix, removeExtraSpaces, unknownSurface } = file;
  const unknown = pieces.find(({ type }) => type === 'unknown')!.text;
  const bytes = new Map(
    pieces.filter(({ type }) => type === 'byte').map(({ text }) => [text, parseInt(text.slice(3, 5), 16)]),
  );
  const strips = addDummyPrefix || removeExtraSpaces;
  return {
    start: (emit) => {
      let atStart = true; // whether a space here is the one that was put in front
      let stripped = false;
      const give = (text: string): void => {
        if (text) atStart = false;
        emit(text, false);
      };
      const run = new ByteRun(give);
      return {
        push: (piece) => {
          const byte = bytes.get(piece);
          if (byte !== undefined) return run.push(byte);
          run.end();
          if (stripped) atStart = false;
          if (piece === unknown) return give(unknownSurface);
          const strip = atStart && strips && piece.startsWith('▁');
          stripped = strip && !removeExtraSpaces;
          give(piece.slice(strip ? 1 : 0).replaceAll('▁', ' '));
        },
        end: () => run.end(),
      };
    },
  };
}

/** Bytes to characters, each as soon as it is whole. */
class ByteRun {
  readonly #give: (text: string) => void;
  #held: number[] = [];

  constructor(give: (text: string) => void) {
    this.#give = give;
  }

  push(byte: number): void {
    this.#held.push(byte);
    this.#release(false);
  }

  end(): void {
    this.#release(true);
  }

  #release(all: boolean): void {
    while (this.#held.length > 0) {
      const lead = this.#held[0]!;
      const needed = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
      if (this.#held.length < needed && !all) return;
      this.#give(this.#character(needed));
    }
  }

  #character(length: number): string {
    try {
      const text = strict.decode(Uint8Array.from(this.#held.slice(0, length)));
      this.#held = this.#held.slice(length);
      return text;
    } catch {
      this.#held.shift();
      return '\ufffd';
    }
  }
}
