import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseHubAddress } from '../hub/address.ts';
import { diskCache } from '../hub/disk-cache.ts';
import { readJson } from '../json.ts';
import { blobs } from './blobs.ts';
import { directory } from './directory.ts';
import { openFiles } from './open.ts';

const fixtures = new URL('../../../../fixtures/', import.meta.url).pathname;

describe('openFiles', () => {
  it('opens folders, GGUF files, and what is a place already', async () => {
    const folder = await openFiles(join(fixtures, 'stories260k-llama'));
    expect(await folder.has('model.safetensors')).toBe(true);
    const file = await openFiles(join(fixtures, 'gguf', 'llama.gguf'));
    expect((await readJson(file, 'config.json')).model_type).toBe('llama');
    const address = await openFiles(pathToFileURL(join(fixtures, 'gguf', 'llama.gguf')));
    expect((await readJson(address, 'config.json')).hidden_size).toBe(48);
    const held = blobs({ a: new Blob(['b']) });
    expect(await openFiles(held)).toBe(held);
  });

  it('asks addresses with the fetch that is given', async () => {
    const asked: string[] = [];
    const fetch = async (url: string): Promise<Response> => {
      asked.push(url);
      return new Response('{"a": 1}', { headers: { 'content-length': '8' } });
    };
    const files = await openFiles('https://example.org/model/', { fetch });
    expect(await readJson(files, 'config.json')).toEqual({ a: 1 });
    expect(new Set(asked)).toEqual(new Set(['https://example.org/model/config.json']));
  });

  it('takes org/name for a model on a hub where there is no such folder', async () => {
    const path = await mkdtemp(join(tmpdir(), 'transept-open-'));
    onTestFinished(() => rm(path, { recursive: true }));
    const options = { cache: diskCache(path), offline: true };
    const files = await openFiles('org/name@v1', options);
    expect(files.name).toBe('https://huggingface.co/org/name@v1');
    await expect(files.has('config.json')).rejects.toThrow(
      /org\/name is not in the cache .*; nor is there a folder org\/name@v1 here/,
    );
    await expect(openFiles('org/name/sub', options)).rejects.toThrow(
      /has too many parts; expected org\/name or org\/name\/file\.gguf/,
    );
    await expect(openFiles('./nowhere', options)).rejects.toThrow('openFiles: no such folder: ./nowhere');
    await expect(openFiles('nowhere.gguf', options)).rejects.toThrow('openFiles: no such file: nowhere.gguf');
  });

  it('says what is wrong with a GGUF file that is none', async () => {
    const path = await mkdtemp(join(tmpdir(), 'transept-open-'));
    onTestFinished(() => rm(path, { recursive: true }));
    await writeFile(join(path, 'x.gguf'), 'not what it says it is, by far');
    await expect(openFiles(join(path, 'x.gguf'))).rejects.toThrow(/gguf: x\.gguf: bytes 0 to 4 are 0x20746f6e/);
  });
});

describe('parseHubAddress', () => {
  it.each([
    ['org/name', { repo: 'org/name' }],
    ['a/b.c-d_1', { repo: 'a/b.c-d_1' }],
    ['org/name@main', { repo: 'org/name', revision: 'main' }],
    ['org/name@v1.0/q/model.gguf', { repo: 'org/name', revision: 'v1.0', file: 'q/model.gguf' }],
  ])('%s', (text, address) => expect(parseHubAddress(text)).toEqual(address));

  it.each([
    'name',
    './org/name',
    '/org/name',
    '../name',
    'org/..',
    'org/name/',
    'C:\\models\\x',
    'org//name',
    '~/name',
    'a--b/c',
    'org/name@',
  ])('not %s', (text) => expect(parseHubAddress(text)).toBeUndefined());
});

describe('directory', () => {
  /** What a page is given: handles by name. */
  const handle = (files: Record<string, string>): FileSystemDirectoryHandle => {
    const missing = (): never => {
      throw new DOMException('missing', 'NotFoundError');
    };
    const folder = (prefix: string): object => ({
      name: 'picked',
      getDirectoryHandle: async (name: string) =>
        Object.keys(files).some((path) => path.startsWith(`${prefix}${name}/`))
          ? folder(`${prefix}${name}/`)
          : missing(),
      getFileHandle: async (name: string) => {
        const text = files[prefix + name] ?? missing();
        return { getFile: async () => new File([text], name) };
      },
    });
    return folder('') as FileSystemDirectoryHandle;
  };

  it('reads files of the directory and below', async () => {
    const files = directory(handle({ 'config.json': '{"a":1}', 'onnx/x.bin': 'abcdef' }));
    expect(await readJson(files, 'config.json')).toEqual({ a: 1 });
    expect(await files.size('onnx/x.bin')).toBe(6);
    expect(new TextDecoder().decode(await files.read('onnx/x.bin', { start: 2, end: 4 }))).toBe('cd');
    expect(await files.has('none/x.bin')).toBe(false);
    await expect(files.read('none')).rejects.toThrow('directory: none is missing in picked');
    await expect(files.read('../x')).rejects.toThrow(/not a path inside/);
  });
});
