// The suite as tests of vitest or node:test: one test a case. Both frameworks are given from outside, so that neither is needed.
import type { Backend } from '@transept/tensor';
import { titleOf } from './case.ts';
import { casesFor, runConformance } from './run.ts';
import type { ConformanceOptions } from './run.ts';

/** What `describeBackend` needs of a test framework: vitest's and node:test's functions fit. */
export interface TestFramework {
  describe(name: string, suite: () => void): unknown;
  it(name: string, test: (context: { skip(note?: string): void }) => Promise<void>): unknown;
  /** Runs once after all tests of a suite: `afterAll` of vitest, `after` of node:test. */
  after(cleanup: () => Promise<void>): unknown;
}

/** Describe a suite of one test a case; what is unsupported is skipped with its reason. `make` is called once, and again where a device was lost. */
export function describeBackend(
  name: string,
  make: () => Backend | Promise<Backend>,
  framework: TestFramework,
  options: ConformanceOptions = {},
): void {
  framework.describe(`${name} conforms`, () => {
    let made: Promise<Backend> | undefined;
    const backend = (): Promise<Backend> => (made ??= Promise.resolve(make()));
    framework.after(async () => (await made)?.[Symbol.dispose]());
    for (const c of casesFor(options))
      framework.it(titleOf(c), async (context) => {
        for await (const result of runConformance(await backend(), { fresh: make, ...options, cases: [c] })) {
          if (result.outcome === 'unsupported') context.skip(result.reason);
          if (result.outcome === 'fail')
            throw new Error(`${result.reason} (seed ${result.seed}${result.culprit ? `, by ${result.culprit}` : ''})`);
        }
      });
  });
}
