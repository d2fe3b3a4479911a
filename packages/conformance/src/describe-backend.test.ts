// The suite as tests: of vitest, here, and of node:test, in a process of its own.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { reference } from '@transept/tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { describeBackend } from './describe-backend.ts';
import type { TestFramework } from './describe-backend.ts';

describeBackend('reference', () => reference(), { describe, it, after: afterAll }, { only: ['argmax/['] });

/** A framework that runs tests at once and keeps what became of them. */
async function outcomes(make: Parameters<typeof describeBackend>[1]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const running: Promise<void>[] = [];
  const framework: TestFramework = {
    describe: (_, suite) => suite(),
    it: (name, test) => {
      found[name] = 'pass';
      running.push(
        test({ skip: (note) => void (found[name] = `skip: ${note}`) }).catch(
          (error: Error) => void (found[name] = `fail: ${error.message}`),
        ),
      );
    },
    after: () => {},
  };
  describeBackend('x', make, framework, { only: ['copy/size 1', 'copy/of f16'] });
  await Promise.all(running);
  return found;
}

it('fails what is wrong, skips what is unsupported', async () => {
  const f32Only = (): ReturnType<typeof reference> => {
    const backend = reference();
    return { ...backend, capabilities: { ...backend.capabilities, dtypes: new Set(['f32', 'i32'] as const) } };
  };
  expect(await outcomes(f32Only)).toMatchObject({
    'copy/size 1': 'pass',
    'copy/of f16': 'skip: no f16 on this device',
  });
  const wrong = (): ReturnType<typeof reference> => reference({ kernels: { copy: { prepare: () => () => () => {} } } });
  expect((await outcomes(wrong))['copy/size 1']).toMatch(
    /^fail: out\[0\] is NaN, expected .* nothing was written \(seed 1, by copy\)$/,
  );
});

it('runs under node:test', async () => {
  const source = `
    import { after, describe, it } from 'node:test';
    import { reference } from '@transept/tensor';
    import { describeBackend } from '${new URL('./index.ts', import.meta.url).href}';
    describeBackend('reference', () => reference(), { describe, it, after }, { only: ['copy/size'] });
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@transept/source', '--test-reporter=tap', '--input-type=module', '--eval', source],
    { cwd: new URL('..', import.meta.url).pathname },
  );
  expect(stdout).toMatch(/# pass [1-9]\n/);
  expect(stdout).toMatch(/# fail 0\n/);
});
