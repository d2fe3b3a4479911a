import { describe, expect, it } from 'vitest';
import { Shared, Turns } from './shared.ts';

/** Work that ends when it is told to, and the signals that it was given. */
function work() {
  const signals: AbortSignal[] = [];
  const ends: ((value: string) => void)[] = [];
  const fails: ((error: Error) => void)[] = [];
  const make = (signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => {
      signals.push(signal);
      ends.push(resolve);
      fails.push(reject);
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  return { shared: new Shared(make), signals, ends, fails };
}

describe('Shared', () => {
  it('works once for all, and keeps the result', async () => {
    const { shared, signals, ends } = work();
    const [first, second] = [shared.get(), shared.get()];
    expect(shared.value).toBeUndefined();
    ends[0]!('done');
    expect(await Promise.all([first, second, shared.get()])).toEqual(['done', 'done', 'done']);
    expect(shared.value).toBe('done');
    expect(signals).toHaveLength(1);
    expect(signals[0]!.aborted).toBe(false);
  });

  it('goes on for the others when one gives up', async () => {
    const { shared, signals, ends } = work();
    const abort = new AbortController();
    const first = shared.get(abort.signal);
    const second = shared.get();
    abort.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    await expect(shared.get(abort.signal)).rejects.toThrow('enough');
    expect(signals[0]!.aborted).toBe(false);
    ends[0]!('done');
    expect(await second).toBe('done');
    expect(signals).toHaveLength(1);
  });

  it('gives up when all have, and begins anew for who comes then', async () => {
    const { shared, signals, ends } = work();
    const abort = new AbortController();
    const both = [shared.get(abort.signal), shared.get(abort.signal)];
    abort.abort(new Error('enough'));
    for (const one of both) await expect(one).rejects.toThrow('enough');
    expect(signals[0]!.aborted).toBe(true);
    const later = shared.get();
    ends[1]!('again');
    expect(await later).toBe('again');
  });

  it('tries again what failed', async () => {
    const { shared, fails, ends } = work();
    const [first, second] = [shared.get(), shared.get()];
    fails[0]!(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    await expect(second).rejects.toThrow('broken');
    const third = shared.get();
    ends[1]!('mended');
    expect(await third).toBe('mended');
  });
});

describe('Turns', () => {
  it('runs one task after the other, whatever becomes of them', async () => {
    const turns = new Turns();
    const log: string[] = [];
    const task =
      (name: string, fail = false) =>
      async (): Promise<string> => {
        log.push(`${name} begins`);
        await new Promise((resolve) => setTimeout(resolve, 2));
        log.push(`${name} ends`);
        if (fail) throw new Error(name);
        return name;
      };
    const all = await Promise.allSettled([turns.take(task('a', true)), turns.take(task('b')), turns.take(task('c'))]);
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('lets go who gives up while waiting, but not who is at work', async () => {
    const turns = new Turns();
    const [first, second] = [new AbortController(), new AbortController()];
    let end = (): void => {};
    const working = turns.take(() => new Promise<string>((resolve) => (end = () => resolve('done'))), first.signal);
    let ran = false;
    const waiting = turns.take(async () => void (ran = true), second.signal);
    await Promise.resolve();
    first.abort();
    second.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    end();
    expect(await working).toBe('done');
    await turns.take(async () => {});
    expect(ran).toBe(false);
  });
});
