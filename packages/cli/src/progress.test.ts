import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Progress } from './progress.ts';
import type { Screen } from './terminal.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function screen(terminal: Partial<Screen>): { written: string[]; screen: Screen } {
  const written: string[] = [];
  return { written, screen: { ...terminal, write: (text: string) => written.push(text) > 0 } as Screen };
}

test('a line on a terminal after one second, at most ten times a second, wiped at the end', () => {
  const { written, screen: on } = screen({ isTTY: true, columns: 60 });
  {
    using progress = new Progress(on, 'loading');
    progress.update(0, 4);
    vi.advanceTimersByTime(1000);
    progress.update(1, 4);
    progress.update(2, 4);
    vi.advanceTimersByTime(100);
    progress.update(2, undefined, 'some');
  }
  expect(written).toEqual([
    `\r\x1b[2Kloading ${'█'.repeat(6)}${'░'.repeat(18)} 1 of 4`,
    '\r\x1b[2Kloading some',
    '\r\x1b[2K',
  ]);
});

test('silent when it is quick, and where there is no terminal', () => {
  for (const terminal of [{ isTTY: true, columns: 60 }, {}]) {
    const { written, screen: on } = screen(terminal);
    {
      using progress = new Progress(on, 'loading');
      progress.update(1, 2);
      vi.advanceTimersByTime(terminal.isTTY ? 0 : 5000);
      progress.update(2, 2);
    }
    expect(written).toEqual([]);
  }
});

test('a line never wraps', () => {
  const { written, screen: on } = screen({ isTTY: true, columns: 50 });
  using progress = new Progress(on, 'loading something with a long name');
  vi.advanceTimersByTime(2000);
  progress.update(1, 2);
  expect(written[0]!.length).toBe('\r\x1b[2K'.length + 49);
});
