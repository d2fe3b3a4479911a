// Bytes to text, piece by piece: only whole characters come out, and all pieces together are what decoding all bytes at
// once gives, U+FFFD for wrong ones included.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class Utf8Stream {
  #held: number[] = [];

  push(bytes: readonly number[]): string {
    const all = this.#held.length > 0 ? [...this.#held, ...bytes] : bytes;
    const whole = all.length - incomplete(all);
    this.#held = all.slice(whole);
    return decode(all.slice(0, whole));
  }

  end(): string {
    const rest = decode(this.#held);
    this.#held = [];
    return rest;
  }
}

function decode(bytes: readonly number[]): string {
  return bytes.length === 0 ? '' : decoder.decode(Uint8Array.from(bytes));
}

/** How many bytes at the end begin a character and wait for more. */
function incomplete(bytes: readonly number[]): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const needed = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return back < needed ? back : 0;
  }
  return 0;
}
