// A random case that fails, made as small as it still fails.
import { formatCall, trace } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { titleOf } from './case.ts';
import type { OpCase } from './case.ts';
import { Oracle } from './oracle/oracle.ts';
import { testCase } from './test-case.ts';
import type { TestOptions, Verdict } from './test-case.ts';

const mostTries = 200;
const mostMilliseconds = 10_000;

/** What the smallest case that was found says, with its calls. */
export async function shrink(
  backend: Backend,
  c: OpCase,
  options: TestOptions,
  verdict: Verdict,
): Promise<Verdict & { smallest?: string }> {
  if (verdict.outcome !== 'fail' || !c.smaller) return verdict;
  const end = performance.now() + mostMilliseconds;
  let [best, said] = [c, verdict];
  for (let tries = 0, found = true; found;) {
    found = false;
    for (const candidate of best.smaller?.() ?? []) {
      if (++tries > mostTries || performance.now() > end) break;
      const result = await testCase(backend, candidate, options).catch(() => undefined);
      if (result?.outcome !== 'fail') continue;
      [best, said, found] = [candidate, result, true];
      break;
    }
    if (tries > mostTries || performance.now() > end) break;
  }
  const { plan } = new Oracle(
    trace(titleOf(best), (g) => best.build(g)),
    options.arithmetic,
  );
  return { ...said, smallest: plan.calls.map((call) => formatCall(call, plan)).join('\n') };
}
