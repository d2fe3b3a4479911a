// Every place puts bytes where it is told to, and takes no memory for them.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gguf } from '../gguf/files.ts';
import { diskCache } from '../hub/disk-cache.ts';
import { hub } from '../hub/hub.ts';
import { segmentCache } from '../hub/segment-cache.ts';
import { hubServer, type HubServer } from '../hub/testing/hub-server.ts';
import { blobs } from './blobs.ts';
import type { Files } from './files.ts';
import { folder } from './folder.ts';
import { http } from './http.ts';

const data = Uint8Array.from({ length: 3 << 20 }, (_, i) => (i * 31 + (i >> 8)) & 255);
/** Larger than what is kept of a server without ranges. */
const large = Uint8Array.from({ length: 17 << 20 }, (_, i) => (i * 7 + (i >> 8)) & 255);

let at: string;
let hubs: HubServer;
const servers: Server[] = [];

async function serve(ranges: boolean): Promise<string> {
  const server = createServer((request, response) => {
    const body = request.url === '/large.bin' ? large : data;
    const range = ranges ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') : undefined;
    const [start, end] = range ? [Number(range[1]), Number(range[2]) + 1] : [0, body.length];
    response.writeHead(range ? 206 : 200, {
      'content-length': end - start,
      ...(range && { 'content-range': `bytes ${start}-${end - 1}/${body.length}` }),
    });
    response.end(request.method === 'HEAD' ? undefined : body.subarray(start, end));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

beforeAll(async () => {
  at = await mkdtemp(join(tmpdir(), 'transept-into-'));
  await writeFile(join(at, 'data.bin'), data);
  hubs = await hubServer('org/model', { 'data.bin': data });
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await hubs[Symbol.asyncDispose]();
  await rm(at, { recursive: true, force: true });
});

const held = new Map<string, Blob>();
const segments = segmentCache(
  {
    name: 'memory',
    get: async (key) => held.get(key),
    put: async (key, value) => void held.set(key, value),
    delete: async (key) => void held.delete(key),
    keys: async (prefix) => [...held.keys()].filter((key) => key.startsWith(prefix)),
  },
  { segmentBytes: 1 << 20 },
);

/** A blob as browsers have it whose streams give pieces of their own alone. */
class PlainBlob extends Blob {
  override slice(start?: number, end?: number): Blob {
    return new PlainBlob([super.slice(start, end)]);
  }
  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return super.stream().pipeThrough(new TransformStream());
  }
}

const places: Record<string, () => Files | Promise<Files>> = {
  'a folder': () => folder(at),
  'a blob': () => blobs({ 'data.bin': new Blob([data]) }),
  'a blob with plain streams': () => blobs({ 'data.bin': new PlainBlob([data]) }),
  'an address': async () => http(await serve(true)),
  'an address without ranges': async () => http(await serve(false)),
  'a hub, to disk': () => hub('org/model', { endpoint: hubs.endpoint, token: '', cache: diskCache(join(at, 'cache')) }),
  'a hub, to segments': () => hub('org/model', { endpoint: hubs.endpoint, token: '', cache: segments }),
};

describe('read, given memory', () => {
  it.each(Object.keys(places))('%s fills it', async (name) => {
    const files = await places[name]!();
    const memory = new Uint8Array(2 << 20);
    for (const [start, end] of [
      [5, 1 << 20],
      [1 << 20, (3 << 20) - 1],
      [7, 7],
    ] as const) {
      const bytes = await files.read('data.bin', { start, end, into: memory });
      expect(Buffer.compare(bytes, data.subarray(start, end))).toBe(0);
      if (end > start) expect([bytes.buffer === memory.buffer, bytes.byteOffset]).toEqual([true, 0]);
    }
    await expect(files.read('data.bin', { start: 0, end: 3 << 20, into: memory })).rejects.toThrow(
      /files: 3145728 bytes do not fit into the 2097152/,
    );
    // What comes without is a copy.
    const own = await files.read('data.bin', { start: 0, end: 3 });
    expect(own.buffer).not.toBe(memory.buffer);
  });

  it('an address without ranges fills it from a large file, in order', async () => {
    const files = http(await serve(false));
    const memory = new Uint8Array(1 << 20);
    for (let start = 0; start < 4 << 20; start += 1 << 20) {
      const bytes = await files.read('large.bin', { start, end: start + (1 << 20), into: memory });
      expect(bytes.buffer).toBe(memory.buffer);
      expect(Buffer.compare(bytes, large.subarray(start, start + (1 << 20)))).toBe(0);
    }
  });

  it('the documents of a GGUF file fill it, too', async () => {
    const files = await gguf(folder(new URL('../../../../fixtures/gguf', import.meta.url).pathname), 'llama.gguf');
    const whole = await files.read('config.json');
    const memory = new Uint8Array(4096);
    const bytes = await files.read('config.json', { start: 3, end: 40, into: memory });
    expect([bytes.buffer, bytes]).toEqual([memory.buffer, whole.subarray(3, 40)]);
  });
});
