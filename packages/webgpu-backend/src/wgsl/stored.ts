// WGSL that reads weights stored as f16, bf16 or in blocks (tensor/src/storage.ts) out of an array of words. Nothing here needs
// a feature of the device: halves are unpacked by a built-in function, and all arithmetic after that is f32.
import type { Storage } from '@transept/tensor';
import { indent } from './shader.ts';

/** The element type of the array that a stored weight is bound as; by fours, halves come two words at a time. */
export const storedElement = (storage: Storage, vector: boolean): { type: string; bytes: number } =>
  vector && isHalf(storage) ? { type: 'vec2<u32>', bytes: 8 } : { type: 'u32', bytes: 4 };

const isHalf = (storage: Storage): boolean => storage === 'f16' || storage === 'bf16';

/**
 * Functions that read the array `name`: `nameAt(i)` is the i-th value, an f32, and where it is read by fours `nameFour(i)`
 * is a vec4<f32> of the values from the i-th on, i being a multiple of four.
 */
export function storedFunctions(storage: Storage, name: string, vector: boolean): string {
  switch (storage) {
    case 'f16':
    case 'bf16':
      return halves(storage, name, vector);
    case 'q8':
    case 'q4':
      return blocks(storage, name);
    default:
      return storage satisfies never;
  }
}

function halves(storage: 'f16' | 'bf16', name: string, vector: boolean): string {
  const two = (word: string): string =>
    storage === 'f16'
      ? `unpack2x16float(${word})`
      : `bitcast<vec2<f32>>(vec2<u32>(${word} << 16u, ${word} & 0xffff0000u))`;
  if (!vector) return fn(`${name}At(i: u32) -> f32`, `let word = ${name}[i >> 1u];`, `return ${two('word')}[i & 1u];`);
  return [
    fn(
      `${name}Four(i: u32) -> vec4<f32>`,
      `let words = ${name}[i >> 2u];`,
      `return vec4<f32>(${two('words.x')}, ${two('words.y')});`,
    ),
    fn(`${name}At(i: u32) -> f32`, `return ${name}Four(i)[i & 3u];`),
  ].join('\n');
}

/** Blocks begin at any half of a word: everything is found by counting halves. */
function blocks(storage: 'q8' | 'q4', name: string): string {
  const values =
    storage === 'q8'
      ? [
          `let word = ${name}Word(half + 1u + i % 32u / 2u);`,
          'let q = (vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);',
        ]
      : [
          `let word = ${name}Word(half + 1u + i % 16u / 2u) >> (i % 32u / 16u * 4u);`,
          'let q = vec4<i32>(vec4<u32>(word, word >> 8u, word >> 16u, word >> 24u) & vec4<u32>(15u)) - 8;',
        ];
  return [
    fn(
      `${name}Word(half: u32) -> u32`,
      `let word = ${name}[half >> 1u];`,
      `if ((half & 1u) == 0u) { return word; }`,
      `return (word >> 16u) | (${name}[(half >> 1u) + 1u] << 16u);`,
    ),
    fn(
      `${name}Four(i: u32) -> vec4<f32>`,
      `let half = i / 32u * ${storage === 'q8' ? 17 : 9}u;`,
      `let scale = unpack2x16float(${name}[half >> 1u])[half & 1u];`,
      ...values,
      'return scale * vec4<f32>(q);',
    ),
    fn(`${name}At(i: u32) -> f32`, `return ${name}Four(i & ~3u)[i & 3u];`),
  ].join('\n');
}

const fn = (head: string, ...body: string[]): string => `fn ${head} {\n${indent(body)}\n}`;
