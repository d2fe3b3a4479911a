// Writes any bytes to device memory, which takes multiples of 4 at multiples of 4. What does not fill four bytes waits for its
// neighbours: parts of a parameter may begin and end between, and come in any order.
import type { Backend, Buffer } from '@transept/tensor';

interface Word {
  readonly bytes: Uint8Array<ArrayBuffer>;
  filled: number;
}

export class Writer {
  readonly #backend: Backend;
  readonly #waiting = new Map<Buffer, Map<number, Word>>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** `data` at any byte of a buffer. Its memory is not kept. */
  write(buffer: Buffer, data: ArrayBufferView<ArrayBuffer>, byteOffset: number): void {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const head = Math.min(bytes.length, (4 - (byteOffset % 4)) % 4);
    const tail = head + (bytes.length - head) - ((bytes.length - head) % 4);
    this.#hold(buffer, bytes.subarray(0, head), byteOffset);
    if (tail > head) this.#backend.write(buffer, bytes.subarray(head, tail), byteOffset + head);
    this.#hold(buffer, bytes.subarray(tail), byteOffset + tail);
  }

  /** Write what still waits; bytes that never came are zeros. */
  end(): void {
    for (const [buffer, words] of this.#waiting)
      for (const [at, { bytes }] of words) this.#backend.write(buffer, bytes, at);
    this.#waiting.clear();
  }

  #hold(buffer: Buffer, bytes: Uint8Array, byteOffset: number): void {
    if (bytes.length === 0) return;
    const words = this.#waiting.get(buffer) ?? new Map<number, Word>();
    this.#waiting.set(buffer, words);
    const at = byteOffset - (byteOffset % 4);
    const word = words.get(at) ?? { bytes: new Uint8Array(4), filled: 0 };
    words.set(at, word);
    word.bytes.set(bytes, byteOffset - at);
    word.filled += bytes.length;
    if (word.filled < 4) return;
    this.#backend.write(buffer, word.bytes, at);
    words.delete(at);
  }
}
