// The worker's calls where devices are lost, on reference backends: one that is disposed under its model is a lost device.
import { reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { afterEach, expect, test, vi } from 'vitest';
import { tinyGguf } from '../../e2e/tiny-gguf.ts';
import type { Calls, News, Piece } from '../protocol.ts';
import type { CallContext, Handlers } from '../rpc/serve.ts';
import { handlers } from './handlers.ts';

interface Device {
  readonly backend: Backend;
  lose(): void;
  /** The worker is done with it. */
  givenUp: boolean;
}

function device(): Device {
  const inner = reference();
  const lose = (): void => inner[Symbol.dispose]();
  const made: Device = {
    backend: { ...inner, [Symbol.dispose]: () => void (made.givenUp = true) },
    lose,
    givenUp: false,
  };
  return made;
}

const context = (report: (value: unknown) => void = () => {}): CallContext<never> => ({
  signal: new AbortController().signal,
  report,
  give: () => {},
});

interface Worker {
  readonly calls: Handlers<Calls>;
  readonly devices: Device[];
  readonly news: News[];
  readonly ends: string[];
}

/** A worker with a model on a device. There are so many devices. */
async function worker(most: number): Promise<Worker> {
  const [devices, news, ends]: [Device[], News[], string[]] = [[], [], []];
  const calls = handlers({
    async createBackend() {
      if (devices.length === most) throw new Error('there are no more');
      devices.push(device());
      return devices.at(-1)!.backend;
    },
    tell: (one) => news.push(one),
    end: (reason) => ends.push(reason),
  });
  const file = Object.assign(new File([tinyGguf()], 'tiny.gguf'), { webkitRelativePath: '' });
  await calls.open({ backend: 'reference', model: [file] }, context());
  return { calls, devices, news, ends };
}

const translate = ({ calls }: Worker, onPiece: (piece: Piece) => void = () => {}) =>
  calls.translate({ text: 'abc' }, context(onPiece as (value: unknown) => void));
const memoryOf = ({ backend: { memory } }: Device) => ({ bytes: memory.bytes, peak: memory.peak });

afterEach(() => void vi.useRealTimers());

test('a translation goes on on another device, what follows works there, and nothing is left on the one before', async () => {
  const page = await worker(2);
  const [first] = page.devices;
  const whole = await translate(page);
  expect(whole.targetIds.length).toBeGreaterThan(5);
  const pairs = [whole];
  const [forced, attention] = [
    await page.calls.force({ pairs }, context()),
    await page.calls.attend({ pair: whole }, context()),
  ];

  let pieces = '';
  const broken = await translate(page, ({ text, tokens }) => {
    pieces += text;
    if (tokens === 3) first!.lose();
  });
  const [, second] = page.devices;
  expect(broken).toMatchObject({ text: whole.text, targetIds: whole.targetIds, memory: memoryOf(second!) });
  expect(pieces).toBe(whole.text);
  expect(page.news).toEqual([
    { kind: 'lost' },
    {
      kind: 'replaced',
      ms: expect.any(Number),
      device: { details: second!.backend.capabilities.details, memory: expect.anything() },
    },
  ]);
  expect([first!.givenUp, memoryOf(first!).bytes, second!.givenUp]).toEqual([true, 0, false]);
  expect(await page.calls.force({ pairs }, context())).toEqual(forced);
  expect(await page.calls.attend({ pair: whole }, context())).toEqual(attention);
});

test('forced decoding that loses its device is done again on another', async () => {
  const page = await worker(2);
  const whole = await translate(page);
  const forced = await page.calls.force({ pairs: [whole] }, context());
  page.devices[0]!.lose();
  expect(await page.calls.force({ pairs: [whole] }, context())).toEqual(forced);
});

test('an idle device is replaced as well, each time', async () => {
  const page = await worker(3);
  const whole = await translate(page);
  for (const lost of [0, 1]) {
    page.devices[lost]!.lose();
    await vi.waitFor(() => expect(page.news.filter(({ kind }) => kind === 'replaced')).toHaveLength(lost + 1));
    await vi.waitFor(() =>
      expect(page.devices.map(({ givenUp }) => givenUp)).toEqual([true, lost === 1, false].slice(0, lost + 2)),
    );
  }
  expect(await translate(page)).toMatchObject({ text: whole.text, memory: memoryOf(page.devices[2]!) });
  expect(page.ends).toEqual([]);
});

test('where there is no other device, that is the end, with the reason', async () => {
  const page = await worker(1);
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  page.devices[0]!.lose();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.news).toEqual([{ kind: 'lost' }]);
  expect(page.ends).toEqual([
    expect.stringMatching(/^reference: the device was lost and could not be replaced; .*: there are no more$/),
  ]);
});
