import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../checkpoint.ts';
import { CheckpointError } from '../errors.ts';
import { writeSafetensors } from '../safetensors/write.ts';
import { http } from './http.ts';

const data = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
type Answer = (request: IncomingMessage, response: ServerResponse, body: Uint8Array) => void;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server for some files that answers in the given way, and the requests it saw. */
async function serve(
  answer: Answer,
  files: Record<string, Uint8Array> = { 'data.bin': data },
): Promise<{ base: string; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.range ?? ''}`.trim());
    const body = files[decodeURIComponent(request.url!.slice('/model/'.length))];
    if (!body) response.writeHead(404).end();
    else answer(request, response, body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model/`, seen };
}

const ranges: Answer = (request, response, body) => {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (!range)
    return void response
      .writeHead(200, { 'content-length': body.length })
      .end(request.method === 'HEAD' ? undefined : body);
  const start = Number(range[1]);
  const end = range[2] ? Math.min(Number(range[2]) + 1, body.length) : body.length;
  if (start >= body.length) return void response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
  response.writeHead(206, {
    'content-range': `bytes ${start}-${end - 1}/${body.length}`,
    'content-length': end - start,
  });
  response.end(body.subarray(start, end));
};
const noRanges: Answer = (request, response, body) =>
  void response.writeHead(200, { 'content-length': body.length }).end(request.method === 'HEAD' ? undefined : body);

describe('http', () => {
  it('asks for ranges, and takes exactly those', async () => {
    const { base, seen } = await serve(ranges);
    const files = http(base);
    expect(await files.size('data.bin')).toBe(1000);
    expect([...(await files.read('data.bin', { start: 10, end: 13 }))]).toEqual([10, 11, 12]);
    expect([...(await files.read('data.bin', { start: 998 }))]).toEqual([...data.subarray(998)]);
    expect(await files.read('data.bin')).toEqual(data);
    expect([...(await files.read('data.bin', { start: 5, end: 5 }))]).toEqual([]);
    expect(await files.has('data.bin')).toBe(true);
    expect(await files.has('none.bin')).toBe(false);
    expect(seen).toEqual([
      'HEAD /model/data.bin',
      'GET /model/data.bin bytes=10-12',
      'GET /model/data.bin bytes=998-',
      'GET /model/data.bin',
      'HEAD /model/none.bin',
    ]);
  });

  it('fetches a file once where ranges are ignored, also when the one who began has gone', async () => {
    let end = (): void => {};
    const coming = new Promise<void>((resolve) => {
      servers.push(
        createServer((_, response) => {
          response.writeHead(200, { 'content-length': data.length }).write(data.subarray(0, 500));
          end = () => response.end(data.subarray(500));
          resolve();
        }),
      );
    });
    const server = servers.at(-1)!;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const files = http(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const abort = new AbortController();
    const first = files.read('data.bin', { start: 1, end: 3, signal: abort.signal });
    await coming;
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = files.read('data.bin', { start: 600, end: 602 });
    abort.abort(new Error('stop'));
    await expect(first).rejects.toThrow('stop');
    end();
    expect([...(await second)]).toEqual([...data.subarray(600, 602)]);
  });

  it('fetches a file once where ranges are ignored', async () => {
    const { base, seen } = await serve(noRanges);
    const files = http(base);
    expect([...(await files.read('data.bin', { start: 10, end: 13 }))]).toEqual([10, 11, 12]);
    expect([...(await files.read('data.bin', { start: 990, end: 993 }))]).toEqual([...data.subarray(990, 993)]);
    expect(await files.size('data.bin')).toBe(1000);
    await expect(files.read('data.bin', { start: 0, end: 1001 })).rejects.toThrow(/has 1000 bytes/);
    expect(seen).toHaveLength(1);
  });

  it('reads a large file from its beginning where ranges are ignored, and keeps none of it', async () => {
    const large = new Uint8Array(20 << 20);
    for (let i = 0; i < large.length; i++) large[i] = i * 7 + (i >> 12);
    const { base, seen } = await serve(noRanges, { 'data.bin': large });
    const files = http(base);
    const check = async (start: number, end: number): Promise<void> => {
      expect(Buffer.compare(await files.read('data.bin', { start, end }), large.subarray(start, end))).toBe(0);
    };
    await check(0, 1000);
    await check(1000, 3_000_000);
    await Promise.all([check(4_000_000, 9_000_000), check(9_000_000, 20_000_000)]);
    // The one that was refused, and one that is read on and on.
    expect(seen).toHaveLength(2);
    await check(5, 10);
    expect(seen).toHaveLength(3);
    await expect(files.read('data.bin', { start: 0, end: 21 << 20 })).rejects.toThrow(/do not exist; it has 20971520/);
  });

  it('stops reading a large file at a signal, and reads on later', async () => {
    const large = new Uint8Array(20 << 20).fill(3);
    let slow = true;
    const { base } = await serve(
      (_, response, body) => {
        response.writeHead(200, { 'content-length': body.length });
        if (slow) response.write(body.subarray(0, 1000));
        else response.end(body);
      },
      { 'data.bin': large },
    );
    const files = http(base);
    expect([...(await files.read('data.bin', { start: 0, end: 2 }))]).toEqual([3, 3]);
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('stop')), 30);
    await expect(files.read('data.bin', { start: 10, end: 5000, signal: abort.signal })).rejects.toThrow('stop');
    slow = false;
    expect((await files.read('data.bin', { start: 10, end: 5000 })).every((byte) => byte === 3)).toBe(true);
  });

  it('stops waiting at a signal for a server that does not answer once more', async () => {
    const answers = [noRanges];
    const { base } = await serve((...asked) => answers.pop()?.(...asked), { 'data.bin': new Uint8Array(20 << 20) });
    const files = http(base);
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('stop')), 30);
    await expect(files.read('data.bin', { start: 10, end: 50, signal: abort.signal })).rejects.toThrow('stop');
    // Twice, where the signal came before the first answer.
    answers.push(noRanges, noRanges);
    expect(await files.read('data.bin', { start: 10, end: 50 })).toEqual(new Uint8Array(40));
  });

  it('learns the size where HEAD is refused', async () => {
    const refusing: Answer = (request, response, body) =>
      request.method === 'HEAD' ? void response.writeHead(405).end() : ranges(request, response, body);
    const { base } = await serve(refusing);
    expect(await http(base).size('data.bin')).toBe(1000);
    expect(await http(base).has('data.bin')).toBe(true);
  });

  it('does not believe HEAD that a file is empty', async () => {
    const empty: Answer = (request, response, body) =>
      request.method === 'HEAD'
        ? void response.writeHead(200, { 'content-length': 0 }).end()
        : ranges(request, response, body);
    const nothing = new Uint8Array(0);
    const { base } = await serve(empty, { 'data.bin': data, 'none.bin': nothing });
    const files = http(base);
    expect(await files.has('data.bin')).toBe(true);
    expect(await files.read('data.bin')).toEqual(data);
    expect(await http(base).size('data.bin')).toBe(1000);
    expect(await http(base).size('none.bin')).toBe(0);
    expect(await http((await serve(noRanges, { 'none.bin': nothing })).base).size('none.bin')).toBe(0);
  });

  it('does not ask for the size of a file that it looked for', async () => {
    const { base, seen } = await serve(ranges);
    const files = http(base);
    expect(await files.has('data.bin')).toBe(true);
    expect(await files.size('data.bin')).toBe(1000);
    expect(seen).toEqual(['HEAD /model/data.bin']);
  });

  it('opens a checkpoint whose headers and names need care', async () => {
    const bytes = writeSafetensors({ x: { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } });
    for (const answer of [ranges, noRanges]) {
      const { base } = await serve(answer, { 'sub folder/mödel.safetensors': bytes });
      const checkpoint = await openCheckpoint(http(base), { file: 'sub folder/mödel.safetensors' });
      expect([...(await checkpoint.read('x', { as: 'f32' }))]).toEqual([1, 2]);
    }
  });

  it('follows redirects and sends its headers', async () => {
    const answer: Answer = (request, response, body) => {
      if (request.url!.endsWith('data.bin')) {
        response.writeHead(302, { location: '/model/other' }).end();
      } else {
        expect(request.headers['x-token']).toBe('t');
        ranges(request, response, body);
      }
    };
    const { base } = await serve(answer, { 'data.bin': data, other: data });
    const files = http(base, { headers: { 'x-token': 't' } });
    expect([...(await files.read('data.bin', { start: 1, end: 3 }))]).toEqual([1, 2]);
  });

  it.each<[string, Answer, RegExp]>([
    ['a status', (_, response) => void response.writeHead(503).end(), /data\.bin was answered with status 503/],
    [
      'fewer bytes',
      (_, response) => void response.writeHead(206, { 'content-range': 'bytes 10-11/1000' }).end('ab'),
      /gave 2 of the 10 bytes from 10 on; the file has 1000 bytes/,
    ],
    [
      'other bytes',
      (_, response) => void response.writeHead(206, { 'content-range': 'bytes 0-9/1000' }).end('0123456789'),
      /bytes from 0 on; asked for bytes from 10 on/,
    ],
    [
      'too short a file',
      (_, response, body) => void response.writeHead(200).end(body.subarray(0, 15)),
      /bytes 10 to 20 of .* do not exist; it has 15/,
    ],
    [
      'a broken transfer',
      (_, response, body) => {
        response.writeHead(206, { 'content-range': 'bytes 10-19/1000', 'content-length': 10 });
        response.write(body.subarray(10, 14));
        setTimeout(() => response.destroy(), 10);
      },
      /the transfer of .*data\.bin broke off/,
    ],
  ])('says so when the answer is %s', async (_, answer, message) => {
    const { base } = await serve(answer);
    const error = await http(base)
      .read('data.bin', { start: 10, end: 20 })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(message);
  });

  it('names a file that is missing and a server that cannot be reached', async () => {
    const { base } = await serve(ranges);
    await expect(http(base).size('none.bin')).rejects.toThrow(/there is no .*\/model\/none\.bin \(status 404\)/);
    await expect(http(base).read('none.bin')).rejects.toThrow(/there is no .*none\.bin/);
    await expect(http('http://127.0.0.1:1').read('x')).rejects.toThrow(/http:\/\/127\.0\.0\.1:1\/x cannot be reached/);
  });

  describe('does not take what it did not ask for', () => {
    /** Answers with many pieces; how many were taken, and whether the rest was declined. */
    function endless(headers: Record<string, string>, status: number, piece: number, pieces: number) {
      const seen = { pieces: 0, declined: false };
      const bytes = new Uint8Array(piece);
      const files = http('https://example.org/model', {
        fetch: async (_, { method }) =>
          method === 'HEAD'
            ? new Response(null, { headers: { 'content-length': '40' } })
            : new Response(
                new ReadableStream({
                  pull: (to) => (seen.pieces++ < pieces ? to.enqueue(bytes) : to.close()),
                  cancel: () => void (seen.declined = true),
                }),
                { status, headers },
              ),
      });
      return { files, seen };
    }

    it('of a range', async () => {
      const { files, seen } = endless({ 'content-range': 'bytes 10-19/1000' }, 206, 8, 64);
      const reading = files.read('data.bin', { start: 10, end: 20 });
      await expect(reading).rejects.toThrow('data.bin gave more than 10 bytes from 10 on');
      expect(seen.declined).toBe(true);
      expect(seen.pieces).toBeLessThan(5);
    });

    it('of a file whose size is known', async () => {
      const { files, seen } = endless({}, 200, 8, 64);
      expect(await files.size('data.bin')).toBe(40);
      await expect(files.read('data.bin')).rejects.toThrow('data.bin gave more than the 40 bytes that it announced');
      expect(seen.declined).toBe(true);
      expect(seen.pieces).toBeLessThan(9);
    });

    it.each([{}, { start: 0, end: 20 }])('of a file whose size nobody tells: %o', async (options) => {
      const { files, seen } = endless({}, 200, 1 << 20, 140);
      const reading = files.read('data.bin', options);
      await expect(reading).rejects.toThrow('gave more than 134217728 bytes without a content-length');
      expect(seen.declined).toBe(true);
      expect(seen.pieces).toBeLessThan(133);
    });
  });

  it('refuses a file that is replaced while it is read', async () => {
    let body = data;
    const { base } = await serve((request, response) => ranges(request, response, body));
    const files = http(base);
    expect(await files.read('data.bin', { start: 0, end: 2 })).toEqual(data.slice(0, 2));
    body = new Uint8Array(1001);
    await expect(files.read('data.bin', { start: 2, end: 4 })).rejects.toThrow(
      /data\.bin had 1000 bytes and now has 1001; it was changed while it was read/,
    );
  });

  describe('refuses a file that is replaced by one of the same size', () => {
    const small = data;
    const large = new Uint8Array(17 << 20);
    it.each<[string, Answer, Uint8Array, string, string, string]>([
      ['ETag, ranges', ranges, small, 'etag', '"a"', '"b"'],
      ['weak ETag, ranges', ranges, small, 'etag', 'W/"a"', 'W/"b"'],
      ['ETag, no ranges', noRanges, large, 'etag', '"a"', '"b"'],
      [
        'Last-Modified, ranges',
        ranges,
        small,
        'last-modified',
        'Wed, 01 Jan 2025 00:00:00 GMT',
        'Wed, 01 Jan 2025 00:00:01 GMT',
      ],
    ])('by %s', async (_, answer, body, header, before, after) => {
      let tag = before;
      const answering: Answer = (request, response, bytes) => {
        response.setHeader(header, tag);
        answer(request, response, bytes);
      };
      const { base } = await serve(answering, { 'data.bin': body });
      const files = http(base);
      await files.read('data.bin', { start: 100, end: 200 });
      await files.read('data.bin', { start: body.length - 100, end: body.length });
      tag = after;
      const reading = files.read('data.bin', { start: 0, end: 50 });
      await expect(reading).rejects.toThrow(
        `/data.bin had the ${header} ${before} and now has ${after}; it was changed while it was read: load it again`,
      );
      await expect(reading).rejects.toBeInstanceOf(CheckpointError);
      expect(await files.read('data.bin', { start: 0, end: 50 })).toEqual(body.slice(0, 50));
    });

    it('and takes the ETag over the date, and neither of HEAD', async () => {
      let second = 0;
      const { base } = await serve((request, response, body) => {
        response.setHeader('etag', request.method === 'HEAD' ? '"head"' : '"a"');
        response.setHeader('last-modified', `Wed, 01 Jan 2025 00:00:0${second++} GMT`);
        ranges(request, response, body);
      });
      const files = http(base);
      expect(await files.size('data.bin')).toBe(1000);
      for (const start of [0, 2, 4]) await files.read('data.bin', { start, end: start + 2 });
    });
  });

  it('stops at a signal', async () => {
    const { base } = await serve((_, response) => void response.writeHead(200).write('a'));
    const abort = new AbortController();
    const reading = http(base).read('data.bin', { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('stop')), 20);
    await expect(reading).rejects.toThrow('stop');
  });
});
