import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors.ts';
import { blobs } from '../files/blobs.ts';
import type { Files } from '../files/files.ts';
import { readSafetensorsHeader } from './header.ts';
import { writeSafetensors } from './write.ts';

/** A file with the given header text and so many bytes of data. */
function file(header: string, dataBytes: number, length = new TextEncoder().encode(header).length): Files {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  return blobs({ 'm.safetensors': new Blob([head, header, new Uint8Array(dataBytes)]) });
}

const one = (fields: object): string =>
  JSON.stringify({ x: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24], ...fields } });

const open = (files: Files): ReturnType<typeof readSafetensorsHeader> => readSafetensorsHeader(files, 'm.safetensors');

describe('readSafetensorsHeader', () => {
  it('reads names, types, shapes and absolute byte ranges', async () => {
    const header =
      '{"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[3],"data_offsets":[1,7]},"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}';
    const { tensors, metadata } = await open(file(header, 7));
    expect(metadata).toEqual({ format: 'pt' });
    const data = 8 + header.length;
    expect(tensors).toEqual([
      { name: 'a', dtype: 'BOOL', shape: [1], file: 'm.safetensors', start: data, end: data + 1 },
      { name: 'b', dtype: 'F16', shape: [3], file: 'm.safetensors', start: data + 1, end: data + 7 },
    ]);
  });

  it('takes gaps, trailing spaces, empty tensors and scalars', async () => {
    const header =
      '{"s":{"dtype":"F32","shape":[],"data_offsets":[4,8]},"e":{"dtype":"I64","shape":[0,5],"data_offsets":[6,6]}}   ';
    expect((await open(file(header, 20))).tensors.map((t) => t.end - t.start)).toEqual([4, 0]);
  });

  it('reads a header that is longer than the first read', async () => {
    const tensors = Object.fromEntries(
      Array.from({ length: 2000 }, (_, i) => [
        `layer.${i}`,
        { dtype: 'F32' as const, shape: [1], data: Float32Array.of(i) },
      ]),
    );
    const files = blobs({ 'm.safetensors': new Blob([writeSafetensors(tensors)]) });
    expect((await open(files)).tensors).toHaveLength(2000);
  });

  const bad: [what: string, files: Files, message: RegExp][] = [
    ['an empty file', blobs({ 'm.safetensors': new Blob([]) }), /m\.safetensors: it has 0 bytes; expected 8/],
    ['a header longer than the file', file('{}', 0, 1000), /header takes bytes 8 to 1008, the file has 10/],
    ['a header length beyond 2^53', file('{}', 0, Number.MAX_SAFE_INTEGER), /expected at most 100000000/],
    [
      'another format',
      blobs({ 'm.safetensors': new Blob(['GGUF\0\0\0\0\0\0']) }),
      /give a header of 1179993927 bytes; .* Is it a safetensors file/,
    ],
    ['no brace', file('[1]', 0), /byte 8 is 91; expected 123/],
    ['broken JSON', file('{"x":', 0), /is not JSON/],
    [
      'invalid UTF-8',
      blobs({ 'm.safetensors': new Blob([Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d)]) }),
      /not valid UTF-8/,
    ],
    ['deep nesting', file('{"x":'.padEnd(50_000, '['), 0), /nests deeper than 64 levels/],
    [
      'a name twice',
      file(
        '{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0078" : {"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
        2,
      ),
      /the name "x" twice/,
    ],
    [
      'a field twice',
      file('{"x":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}', 1),
      /the name "shape" twice/,
    ],
    [
      'metadata that is no text',
      file('{"__metadata__":{"a":1}}', 0),
      /__metadata__ is \{"a":1\}; expected an object of strings/,
    ],
    ['a tensor that is no object', file('{"x":3}', 0), /tensor "x": it is described by 3/],
    ['an unknown dtype', file(one({ dtype: 'F33' }), 24), /tensor "x": dtype is "F33"; expected one of F64, F32/],
    ['an inherited dtype', file(one({ dtype: 'toString' }), 24), /dtype is "toString"/],
    ['a negative size', file(one({ shape: [-2, -3] }), 24), /shape is \[-2,-3\]/],
    ['a size that is no whole number', file(one({ shape: [2.5, 3] }), 24), /shape is \[2\.5,3\]/],
    ['a shape that is no array', file(one({ shape: 6 }), 24), /shape is 6/],
    ['a rank of 33', file(one({ shape: new Array(33).fill(1) }), 24), /at most 32 whole numbers/],
    [
      'a product that overflows',
      file(one({ shape: [2 ** 40, 2 ** 40], data_offsets: [0, 0] }), 24),
      /needs 4\.8.*e\+24 bytes, data_offsets \[0, 0\] give 0/,
    ],
    ['three offsets', file(one({ data_offsets: [0, 24, 24] }), 24), /data_offsets is \[0,24,24\]/],
    ['offsets backwards', file(one({ data_offsets: [24, 0] }), 24), /takes bytes/],
    ['offsets past the end', file(one({}), 23), /it takes bytes \d+ to \d+, the file has \d+; it is cut short/],
    [
      'a shape that disagrees with the bytes',
      file(one({ shape: [2, 2] }), 24),
      /F32 \[2, 2\] needs 16 bytes, data_offsets \[0, 24\] give 24/,
    ],
    [
      'overlapping tensors',
      file(
        '{"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"y":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}}',
        5,
      ),
      /tensors overlap: "x" takes bytes \d+ to \d+, "y" bytes/,
    ],
  ];
  it.each(bad)('refuses %s', async (_, files, message) => {
    const error = await open(files).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(message);
  });

  it('meets every mutation of a valid file with a result or a CheckpointError, and reads only what exists', async () => {
    const valid = writeSafetensors(
      {
        'a.weight': { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) },
        'b.bias': { dtype: 'F16', shape: [5], data: new Uint16Array(5) },
        c: { dtype: 'I64', shape: [], data: new BigInt64Array(1) },
      },
      { metadata: { format: 'pt' } },
    );
    let seed = 1;
    const random = (n: number): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % n;
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      let bytes = valid.slice(0, random(8) === 0 ? random(valid.length) : valid.length);
      for (let n = random(4); n >= 0 && bytes.length > 0; n--) bytes[random(bytes.length)] = random(256);
      if (random(4) === 0) bytes = bytes.slice(random(10));
      const inner = blobs({ 'm.safetensors': new Blob([bytes]) });
      let taken = 0;
      const counted: Files = {
        ...inner,
        read: async (path, options) => {
          const part = await inner.read(path, options);
          taken += part.length;
          return part;
        },
      };
      const result = await open(counted).catch((error: unknown) => error);
      expect(taken).toBeLessThanOrEqual(2 * bytes.length);
      if (result instanceof Error) {
        expect(result).toBeInstanceOf(CheckpointError);
        refused++;
      } else
        for (const tensor of (result as Awaited<ReturnType<typeof open>>).tensors)
          expect(tensor.end).toBeLessThanOrEqual(bytes.length);
    }
    expect(refused).toBeGreaterThan(1000);
  });
});
