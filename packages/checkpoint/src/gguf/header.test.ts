import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors.ts';
import { blobs } from '../files/blobs.ts';
import type { Files } from '../files/files.ts';
import { readGgufHeader } from './header.ts';
import { ggufBytes, type TestFile, type TestTensor } from './testing.ts';

const at = (bytes: Uint8Array<ArrayBuffer>): Files => blobs({ 'm.gguf': new Blob([bytes]) });
const open = (file: TestFile): ReturnType<typeof readGgufHeader> => readGgufHeader(at(ggufBytes(file)), 'm.gguf');
const row: TestTensor = { dims: [4], data: new Uint8Array(16) };

describe('readGgufHeader', () => {
  it('reads values, names, shapes and byte ranges', async () => {
    const { metadata, tensors } = await open({
      values: {
        'general.architecture': { text: 'llama' },
        'a.count': { u32: 7 },
        'a.big': { u64: 2n ** 60n },
        'a.eps': { f32: 1e-5 },
        'a.flag': { flag: 1 },
        'a.names': { texts: ['x', '\uFEFFy', ''] },
        'a.list': { i32s: [3, 3, 3] },
      },
      tensors: {
        one: { dims: [4, 3], data: new Uint8Array(48) },
        two: { dims: [32], type: 8, data: new Uint8Array(34) },
      },
    });
    expect(metadata.text('general.architecture')).toBe('llama');
    expect(metadata.count('a.count')).toBe(7);
    expect(metadata.get('a.big')).toBe(2n ** 60n);
    expect(metadata.number('a.eps')).toBe(1e-5);
    expect(metadata.flag('a.flag')).toBe(true);
    expect(metadata.texts('a.names')).toEqual(['x', '\uFEFFy', '']);
    expect(metadata.shared('a.list')).toBe(3);
    const [one, two] = tensors;
    expect(one).toMatchObject({ name: 'one', dtype: 'F32', shape: [3, 4] });
    expect(two).toMatchObject({
      name: 'two',
      dtype: 'Q8_0',
      shape: [32],
      start: one!.start + 64,
      end: one!.start + 98,
    });
    expect(one!.start % 32).toBe(0);
  });

  it('reads a header that is longer than the first read, and no more of the file than that', async () => {
    const tokens = Array.from({ length: 50_000 }, (_, i) => `token number ${i}`);
    const bytes = ggufBytes({ values: { tokens: { texts: tokens } }, tensors: { x: row } });
    const whole = new Uint8Array(bytes.length + (64 << 20));
    whole.set(bytes);
    expect(bytes.length).toBeGreaterThan(1 << 20);
    let most = 0;
    const files = at(whole);
    const counted: Files = {
      ...files,
      read: (path, options) => ((most = Math.max(most, options?.end ?? 0)), files.read(path, options)),
    };
    expect((await readGgufHeader(counted, 'm.gguf')).metadata.texts('tokens')).toHaveLength(50_000);
    expect(most).toBeLessThan(8 << 20);
  });

  const bad: [what: string, file: TestFile, message: RegExp][] = [
    ['another format', { magic: 'GGML' }, /bytes 0 to 4 are 0x4c4d4747; expected 0x46554747/],
    ['version 1', { version: 1 }, /version 1; expected 2 or 3/],
    ['a big endian file', { version: 3 << 24 }, /big endian/],
    ['more keys than there are', { keyCount: 2n ** 40n }, /m\.gguf: .* at byte|cut short/],
    ['more tensors than there are', { tensorCount: 2n ** 63n }, /are announced, the file has|cut short/],
    [
      'a key twice',
      {
        values: [
          ['k', { u32: 1 }],
          ['k', { u32: 2 }],
        ],
      },
      /the key "k" comes twice/,
    ],
    ['an unknown type of value', { values: { k: { raw: [13, 0, 0, 0] } } }, /a value has type 13; expected 0 to 12/],
    ['a truth value of 2', { values: { k: { flag: 2 } } }, /a truth value is 2/],
    [
      'an array longer than the file',
      { values: { k: { raw: [9, 0, 0, 0, 5, 0, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0] } } },
      /1\.12\d*e\+15 bytes are announced|1125899906842620 bytes are announced/,
    ],
    [
      'arrays within arrays',
      {
        values: {
          k: { raw: [9, 0, 0, 0, ...Array.from({ length: 9 }, () => [9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]).flat()] },
        },
      },
      /arrays nest deeper than 4 levels/,
    ],
    [
      'a string longer than the file',
      { values: { k: { raw: [8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128] } } },
      /are announced/,
    ],
    [
      'a tensor twice',
      {
        tensors: [
          ['t', row],
          ['t', row],
        ],
      },
      /the tensor "t" comes twice/,
    ],
    [
      'five dimensions',
      { tensors: { t: { dims: [1, 1, 1, 1, 1] } } },
      /tensor "t" has 5 dimensions; expected at most 4/,
    ],
    ['a type that is not supported', { tensors: { t: { dims: [256], type: 16 } } }, /tensor "t" is stored as IQ2_XXS/],
    ['a type that does not exist', { tensors: { t: { dims: [256], type: 99 } } }, /stored as type 99/],
    [
      'rows that blocks do not fill',
      { tensors: { t: { dims: [33], type: 8 } } },
      /Q8_0 \[33\] has rows of 33; expected a multiple of 32/,
    ],
    ['sizes that overflow', { tensors: { t: { dims: [2n ** 40n, 2n ** 40n] } } }, /tensor "t": F32 .* takes bytes/],
    ['a size beyond 2^53', { tensors: { t: { dims: [2n ** 63n, 0] } } }, /tensor "t" has shape/],
    [
      'an offset that is not aligned',
      { tensors: { t: { ...row, offset: 4 } } },
      /its offset is 4; expected a multiple of 32/,
    ],
    ['an offset past the end', { tensors: { t: { ...row, offset: 2n ** 40n } } }, /the file has \d+; it is cut short/],
    [
      'overlapping tensors',
      {
        tensors: [
          ['a', row],
          ['b', { ...row, offset: 0 }],
        ],
      },
      /tensors overlap: "a" takes bytes/,
    ],
    ['an alignment of 0', { values: { 'general.alignment': { u32: 0 } } }, /general\.alignment is 0/],
  ];
  it.each(bad)('refuses %s', async (_, file, message) => {
    const error = await open(file).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(message);
  });

  it('refuses every file that ends early', async () => {
    const bytes = ggufBytes({ values: { k: { texts: ['a', 'b'] } }, tensors: { t: row } });
    for (let length = 0; length < bytes.length - 16; length++)
      await expect(readGgufHeader(at(bytes.slice(0, length)), 'm.gguf')).rejects.toThrow(CheckpointError);
  });
});
