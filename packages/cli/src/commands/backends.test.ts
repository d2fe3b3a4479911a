import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackendError } from '@transept/tensor';
import { expect, test } from 'vitest';
import { emptyFolder } from '../testing/folders.ts';
import { run } from '../testing/terminal.ts';
import { watched } from '../testing/watched.ts';

test('what each backend can do, or why it is not there', async () => {
  const refuse = (): never => {
    throw new BackendError('gpu: no adapter: none is installed');
  };
  const watch = watched();
  const { code, stdout } = await run(['backends'], { backends: { ...watch.backends, gpu: refuse } });
  expect(code).toBe(0);
  expect(stdout).toBe(
    'watched\n  engine: TypeScript\n  accumulation: f64\n  threads: 1\ngpu: not available: gpu: no adapter: none is installed\n',
  );
  expect(watch.left).toEqual([0]);
});

test('ours', async () => {
  const { code, stdout } = await run(['backends', '--json', '--threads', '1']);
  expect(code).toBe(0);
  const found = JSON.parse(stdout) as { name: string; available: boolean; details?: object }[];
  expect(found.map(({ name }) => name)).toEqual(['reference', 'cpu', 'webgpu']);
  expect(found[1]).toMatchObject({ available: true, details: { threads: 1 } });
});

const thirdParty = (name: string): string => `
  import { reference } from ${JSON.stringify(import.meta.resolve('@transept/tensor'))};
  export const backend = () => Object.assign(reference(), { name: ${JSON.stringify(name)} });`;

function moduleFile(source: string): string {
  const file = join(emptyFolder(), 'backend.mjs');
  writeFileSync(file, source);
  return file;
}

test("a third party's backend stands beside ours", async () => {
  const path = moduleFile(thirdParty('abacus'));
  const { code, stdout } = await run(['backends', '--backend-module', path]);
  expect(code).toBe(0);
  expect(stdout).toContain('abacus\n  engine: TypeScript\n');
  const translated = await run([
    'translate',
    'Hallo.',
    '--beams',
    '1',
    '--backend-module',
    path,
    '--backend',
    'abacus',
  ]);
  expect(translated).toEqual({ code: 0, stdout: 'Hello.\n', stderr: '' });
});

test.each([
  [thirdParty('cpu'), 'makes a backend named "cpu", which there is already'],
  ['export const other = 1;', 'exports no factory; expected a function () => Backend as "backend" or as default'],
  ['export default () => ({ name: "half" });', 'gives something without capabilities, kernels'],
  ['export const backend = () => undefined;', 'gives something without name, capabilities'],
  ['this is no program', 'cannot import'],
])('a module that makes no backend: %s', async (source, message) => {
  const { code, stderr } = await run(['backends', '--backend-module', moduleFile(source)]);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

test('a module that is not there', async () => {
  const { code, stderr } = await run(['translate', 'Hallo', '--backend-module', 'nowhere.mjs']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^transept: backend: cannot import nowhere.mjs: /);
});

test('more than 4 GiB for the cpu backend take 64-bit addresses; beyond 16 there is a reason', async () => {
  const { stdout } = await run(['backends', '--json', '--threads', '1', '--memory', '5']);
  expect(JSON.parse(stdout)).toContainEqual(
    expect.objectContaining({ name: 'cpu', details: expect.objectContaining({ addresses: '64 bits' }) }),
  );
  expect((await run(['backends', '--memory', '17'])).stdout).toContain(
    'cpu: not available: cpu: maxBytes is 18253611008; it must be a number from 65536 to 17179869184\n',
  );
});
