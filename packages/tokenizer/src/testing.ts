// What several tests read: fixtures, and folders that exist only in memory.
import { readFileSync } from 'node:fs';
import type { TokenizerFiles } from './index.ts';

export function fixture(path: string): Buffer {
  return readFileSync(new URL(`../fixtures/${path}`, import.meta.url));
}

export function fixtureJson<T>(path: string): T {
  return JSON.parse(fixture(path).toString()) as T;
}

/** Texts, bytes, or values that become JSON. */
export function memory(contents: Readonly<Record<string, unknown>>): TokenizerFiles {
  return {
    has: async (path) => Object.hasOwn(contents, path),
    read: async (path) => {
      const value = contents[path];
      if (value instanceof Uint8Array) return value;
      return new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
    },
  };
}
