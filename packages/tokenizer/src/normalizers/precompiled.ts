// SentencePiece's compiled normalization: a double-array trie over UTF-8 whose values point into a block of replacement
// texts, each closed by a zero byte. `tokenizers` looks up whole grapheme clusters of under six bytes first, then single
// characters, and takes the shortest entry that begins them (its crate spm_precompiled); SentencePiece itself takes the
// longest entry at every position. Format: u32 size of the trie in bytes, trie, texts.
import { TokenizerError } from '../errors.ts';
import { eachGrapheme } from '../graphemes.ts';
import type { Json } from '../json.ts';
import { unitsAt, type Edit, type Put } from '../text.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Clusters of this many bytes or more are never looked up whole. */
const LONG_CLUSTER = 6;

export class CharsMap {
  readonly #trie: Uint32Array;
  readonly #texts: Uint8Array;
  /** What single UTF-16 units become, null for nothing found: most text is made of a few hundred of them. */
  readonly #units: (string | null)[] = [];

  constructor(trie: Uint32Array, texts: Uint8Array) {
    this.#trie = trie;
    this.#texts = texts;
  }

  /** The entry that begins the bytes at `start`, the shortest or the longest: its length in bytes and its replacement. */
  find(bytes: Uint8Array, start: number, longest: boolean): { length: number; text: string } | undefined {
    const trie = this.#trie;
    let found: { length: number; value: number } | undefined;
    let node = offset(trie[0]!);
    for (let i = start; i < bytes.length && bytes[i] !== 0; i++) {
      node ^= bytes[i]!;
      const unit = trie[node];
      if (unit === undefined || (unit & 0x800000ff) !== bytes[i]) break;
      node ^= offset(unit);
      if ((unit >>> 8) & 1) {
        found = { length: i + 1 - start, value: (trie[node] ?? 0) & 0x7fffffff };
        if (!longest) break;
      }
    }
    if (!found) return undefined;
    const end = this.#texts.indexOf(0, found.value);
    return { length: found.length, text: decoder.decode(this.#texts.subarray(found.value, end < 0 ? undefined : end)) };
  }

  /** What the whole of `text` becomes, or null when no entry begins it. */
  lookUp(text: string): string | null {
    if (text.length > 1) return this.find(encoder.encode(text), 0, false)?.text ?? null;
    const unit = text.charCodeAt(0);
    let result = this.#units[unit];
    if (result === undefined) {
      result = this.find(encoder.encode(text), 0, false)?.text ?? null;
      this.#units[unit] = result;
    }
    return result;
  }
}

function offset(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

/** Throws by `fail` when the bytes are no such map. */
export function readCharsMap(bytes: Uint8Array, fail: (problem: string) => never): CharsMap {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
  if (size === 0 || size % 4 !== 0 || size > bytes.length - 4) {
    fail(`has a trie of ${size} bytes, in ${bytes.length}; it must be a multiple of 4 that fits behind its size`);
  }
  const trie = new Uint32Array(size / 4);
  for (let i = 0; i < trie.length; i++) trie[i] = view.getUint32(4 + 4 * i, true);
  return new CharsMap(trie, bytes.subarray(4 + size));
}

function fromBase64(json: Json): Uint8Array {
  try {
    const text = atob(json.string());
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  } catch (error) {
    if (error instanceof TokenizerError) throw error;
    return json.fail('is not valid base64');
  }
}

export function precompiled(json: Json): Edit[] {
  const field = json.at('precompiled_charsmap');
  const map = readCharsMap(fromBase64(field), (problem) => field.fail(problem));
  return [{ rewrite: (text, put) => rewrite(map, text, put), plain: (text) => replaced(map, text) }];
}

function replaced(map: CharsMap, text: string): string {
  let result = '';
  let done = 0;
  const replace = (start: number, end: number): boolean => {
    const found = map.lookUp(end - start === 1 ? text[start]! : text.slice(start, end));
    if (found === null) return false;
    result += text.slice(done, start) + found;
    done = end;
    return true;
  };
  eachGrapheme(text, (start, end) => {
    if (end - start === 1) return void replace(start, end);
    if (isShort(text.slice(start, end)) && replace(start, end)) return;
    for (let i = start; i < end; i += unitsAt(text, i)) replace(i, i + unitsAt(text, i));
  });
  return result + text.slice(done);
}

/** Which old character lends its place to each new one is decided as in `tokenizers`, odd cases included. */
function rewrite(map: CharsMap, text: string, put: Put): void {
  let at = 0; // the next old character that lends its place
  let last: { character: string; source: number; added: boolean } | undefined;
  const skip = (count: number): void => {
    for (let left = count; left > 0; left--) at += unitsAt(text, at);
  };
  const replace = (count: number, replacement: string): void => {
    let left = count;
    for (const character of replacement) {
      if (last) put(last.character, last.source);
      const added = left-- <= 0;
      last = { character, source: added ? at - 1 : at, added };
      if (!added) skip(1);
    }
    // Old characters that go away count with the new one before, or not at all. One that was added takes their place.
    if (left <= 0 || !last) return;
    if (last.added) last = { ...last, source: at, added: false };
    skip(left);
  };
  const character = (start: number, end: number): void => {
    const old = text.slice(start, end);
    replace(1, map.lookUp(old) ?? old);
  };
  eachGrapheme(text, (start, end) => {
    if (end - start > 1) {
      const cluster = text.slice(start, end);
      const whole = isShort(cluster) ? map.lookUp(cluster) : null;
      if (whole !== null) replace([...cluster].length, whole);
      else for (let i = start; i < end; i += unitsAt(text, i)) character(i, i + unitsAt(text, i));
    } else {
      character(start, end);
    }
  });
  if (last) put(last.character, last.source);
}

function isShort(cluster: string): boolean {
  return cluster.length < LONG_CLUSTER && encoder.encode(cluster).length < LONG_CLUSTER;
}
