// The launcher by itself: what it passes on, and what it counts.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { unpackOnce } from './unpack.mjs';
import { modules, nodeBinary, root } from './workspace.mjs';

const launcher = join(root, 'scripts', 'run.mjs');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'transept-launcher-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  return spawnSync(process.execPath, [launcher, ...args], { encoding: 'utf8', ...options });
}

test('a command keeps its output, its arguments and its exit code', () => {
  const program = 'process.stdout.write(JSON.stringify(process.argv.slice(1))); process.exitCode = 3';
  const result = run(['exec', 'node', '-e', program, '--', 'a b', '--flag', '"quoted"']);
  expect(JSON.parse(result.stdout)).toEqual(['a b', '--flag', '"quoted"']);
  expect(result.status).toBe(3);
});

test('a command runs on Node 24, in the folder where it was typed', () => {
  const program = 'console.log(process.cwd()); console.log(process.version)';
  const direct = run(['exec', 'node', '-e', program], { cwd: folder });
  const [where, version] = direct.stdout.split('\n');
  expect(where).toBe(folder);
  expect(version).toMatch(/^v24\./);
  const throughNpm = run(['exec', 'node', '-e', program], { cwd: root, env: { ...process.env, INIT_CWD: folder } });
  expect(throughNpm.stdout).toBe(direct.stdout);
});

test.skipIf(process.platform === 'win32')('a signal reaches the command, and its end reaches the caller', async () => {
  const program = "process.on('SIGTERM', () => process.exit(7)); console.log('ready'); setInterval(() => {}, 1000)";
  const child = spawn(process.execPath, [launcher, 'exec', 'node', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.once('data', () => child.kill('SIGTERM'));
  expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(7);
  expect(run(['exec', 'node', '-e', "process.kill(process.pid, 'SIGKILL')"]).signal).toBe('SIGKILL');
});

test('an unknown task is an error that lists the tasks', () => {
  const result = run(['dmeo']);
  expect(result.status).toBe(1);
  expect(result.stderr).toMatch(/no task is named dmeo; the tasks are demo, start, test/);
});

test('the totals count files that cannot be loaded and hooks that fail', () => {
  const file = join(folder, 'totals.json');
  const reporter = join(root, 'scripts', 'totals-reporter.mjs');
  const vitest = [join(modules, 'vitest', 'vitest.mjs'), 'run', '--reporter', reporter];
  const result = spawnSync(nodeBinary, vitest, {
    cwd: join(root, 'scripts', 'fixtures', 'totals'),
    env: { ...process.env, TRANSEPT_TEST_TOTALS: file },
  });
  expect(result.status).toBe(1);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ passed: 2, failed: 3, skipped: 4 });
});

test('unpacking leaves a complete folder or none', async () => {
  const target = join(folder, 'unpacked');
  const interrupted = unpackOnce(target, (partial) => {
    writeFileSync(join(partial, 'half'), '');
    throw new Error('the disk is full');
  });
  await expect(interrupted).rejects.toThrow('the disk is full');
  expect(existsSync(target)).toBe(false);
  await unpackOnce(target, (partial) => writeFileSync(join(partial, 'whole'), '1'));
  await unpackOnce(target, () => expect.unreachable('it is there already'));
  expect(readFileSync(join(target, 'whole'), 'utf8')).toBe('1');
});
