// The suite: every case, one result each. Nothing that a backend does stops it; a lost device is replaced where that is possible.
import { DeviceLostError } from '@transept/tensor';
import type { Arithmetic, Backend } from '@transept/tensor';
import { isOpCase, titleOf, Unsupported } from './case.ts';
import type { Breakable, Case } from './case.ts';
import { cases as ownCases } from './cases/index.ts';
import type { Failed, NotSupported, Passed, Result } from './result.ts';
import { shrink } from './shrink.ts';
import { measureCase } from './speed.ts';
import { supportOf } from './support.ts';
import { testCase } from './test-case.ts';

export type Mode = 'test' | 'gradient' | 'speed' | 'support';

export interface ConformanceOptions {
  /** Run only cases whose `op/name` contains one of these, or begins with it where it ends in `/`. */
  readonly only?: readonly string[];
  /** Default: `test`. */
  readonly mode?: Mode;
  /** Where random contents and shapes come from. Default: 1. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** What to run in place of the suite's own table. */
  readonly cases?: Iterable<Case>;
  /** Makes further backends of the kind: for cases that break theirs, and in place of one whose device was lost. */
  readonly fresh?: () => Backend | Promise<Backend>;
  /** Makes a backend whose device the suite may take away, for the case of a lost device. */
  readonly breakable?: () => Promise<Breakable>;
  /** A backend that has to give the same bits, such as the same with another number of threads. */
  readonly twin?: Backend;
  /** Milliseconds after which a case counts as failed. Default: 60,000. */
  readonly timeout?: number;
}

type Verdict =
  | Omit<Passed, 'op' | 'case' | 'milliseconds'>
  | Omit<Failed, 'op' | 'case' | 'milliseconds' | 'seed'>
  | Omit<NotSupported, 'op' | 'case' | 'milliseconds'>;

/** Run the suite on a backend. Cases run one by one, in order; stop iterating, or abort `signal`, to stop it. */
export async function* runConformance(
  backend: Backend,
  options: ConformanceOptions = {},
): AsyncGenerator<Result, void, undefined> {
  const { seed = 1, signal, timeout = 60_000, fresh } = options;
  let current = backend;
  await using replacements = new AsyncDisposableStack();
  for (const c of options.cases ?? ownCases(seed)) {
    signal?.throwIfAborted();
    if (!isWanted(c, options)) continue;
    const start = performance.now();
    const verdict = await judge(current, c, options, timeout);
    const tried = { op: c.op, case: c.name, milliseconds: performance.now() - start };
    yield verdict.outcome === 'fail' ? { ...tried, ...verdict, seed } : { ...tried, ...verdict };
    if (fresh && verdict.outcome === 'fail' && (await isLost(current))) {
      try {
        current = replacements.use(await fresh());
      } catch {
        // The next case says again that the device is lost.
      }
    }
  }
}

/** The cases that options ask for, for those who list them before they run them. */
export const casesFor = (options: ConformanceOptions): Case[] =>
  [...(options.cases ?? ownCases(options.seed ?? 1))].filter((c) => isWanted(c, options));

const isWanted = (c: Case, { only, mode = 'test' }: ConformanceOptions): boolean => {
  if (isOpCase(c) ? (c.forSpeed === true) !== (mode === 'speed') : mode !== 'test') return false;
  if (c.op === 'graph' && mode !== 'test') return false;
  const title = titleOf(c);
  return (
    only === undefined || only.some((part) => (part.endsWith('/') ? title.startsWith(part) : title.includes(part)))
  );
};

async function judge(backend: Backend, c: Case, options: ConformanceOptions, timeout: number): Promise<Verdict> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeout} ms`)), timeout);
  });
  try {
    return await Promise.race([answer(backend, c, options), late]);
  } catch (error) {
    if (error instanceof Unsupported) return { outcome: 'unsupported', reason: error.message };
    return { outcome: 'fail', reason: reasonOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

async function answer(
  backend: Backend,
  c: Case,
  { mode = 'test', seed = 1, fresh, breakable, twin }: ConformanceOptions,
): Promise<Verdict> {
  const arithmetic: Arithmetic = backend.capabilities.arithmetic ?? 'ieee';
  if (!isOpCase(c)) {
    await c.run(backend, { seed, fresh, breakable });
    return { outcome: 'pass' };
  }
  switch (mode) {
    case 'test': {
      const how = { seed, arithmetic, twin };
      return shrink(backend, c, how, await testCase(backend, c, how));
    }
    case 'gradient':
      return { outcome: 'unsupported', reason: 'operations have no derivatives yet' };
    case 'speed':
      return measureCase(backend, c, seed);
    case 'support':
      return supportOf(backend, c);
    default:
      return mode satisfies never;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof SuppressedError) return reasonOf(error.suppressed);
  return error instanceof DeviceLostError ? `the device was lost: ${error.message}` : `${error.name}: ${error.message}`;
}

async function isLost(backend: Backend): Promise<boolean> {
  const pending = Symbol();
  return (await Promise.race([backend.lost, new Promise((resolve) => setTimeout(resolve, 0, pending))])) !== pending;
}
