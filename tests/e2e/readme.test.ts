// The example of README.md does what its comments say.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { webgpuFound } from './devices.ts';

const root = join(import.meta.dirname, '..', '..');

test.skipIf(!webgpuFound)('the example of README.md', async () => {
  const example = /```ts\n([\s\S]*?)```/.exec(await readFile(join(root, 'README.md'), 'utf8'))?.[1];
  // Its imports are found from here, its model from the root.
  const program = `process.chdir(${JSON.stringify(root)});\n${example}`;
  const run = ['--conditions=@transept/source', '--input-type=module-typescript', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, run, { cwd: join(root, 'tests') });
  const [best, rest] = stdout.split('\n', 2) as [string, string];
  expect(best).toMatch(/^Mary said she didn't know where Tom was\. -0\.098\d+$/);
  const [, text, top1, difference] = /^(.*\.)(\d+) (\S+)$/.exec(rest)!;
  expect(text).toBe('Tom and Mary drank their coffee.');
  expect(Number(top1)).toBe(1);
  expect(Number(difference)).toBeLessThan(1e-4);
});
