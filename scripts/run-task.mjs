// Starts a task's program with Node 24 in front and ends as it ends: same exit code, same signal, same streams.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cache, nodeBinary, root, workspaceEnvironment } from './workspace.mjs';

const forwarded = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * @param {import('./tasks.mjs').Task} task
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} environment
 */
export async function runTask(task, args, environment) {
  const totals = task.totals ? totalsFile() : undefined;
  const [program, ...rest] = [...task.command, ...args];
  if (program === undefined) throw new Error('exec: no command is given; write exec PROGRAM [arguments]');
  const child = spawn(program === 'node' ? nodeBinary : program, [...rest, ...(totals?.args ?? [])], {
    cwd: task.from === 'root' ? root : callerFolder(),
    env: workspaceEnvironment({ ...environment, ...totals?.environment }),
    shell: process.platform === 'win32' && program !== 'node',
    stdio: 'inherit',
  });
  for (const signal of forwarded) {
    // A terminal sends Ctrl-C to the child as well; twice would cut its clean-up short.
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)));
  }
  const { code, signal } = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  const complete = totals?.print() ?? true;
  for (const name of forwarded) process.removeAllListeners(name);
  if (signal) process.kill(process.pid, signal);
  else process.exitCode = code === 0 && !complete ? 1 : code;
}

/** npm and pnpm run scripts in the root and say in INIT_CWD where the command was typed. */
function callerFolder() {
  return process.cwd() === root ? (process.env['INIT_CWD'] ?? root) : process.cwd();
}

/** Has vitest leave its totals in a file, so that they can be the last line whatever else is printed. */
function totalsFile() {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'totals-'));
  const file = join(folder, 'totals.json');
  return {
    args: ['--reporter=default', `--reporter=${join(root, 'scripts', 'totals-reporter.mjs')}`],
    environment: { TRANSEPT_TEST_TOTALS: file },
    /** Prints the closing line; false when vitest left no totals. */
    print() {
      const totals = readTotals(file);
      rmSync(folder, { recursive: true, force: true });
      const { passed, failed, skipped } = totals ?? { passed: 0, failed: 1, skipped: 0 };
      process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
      return totals !== undefined;
    },
  };
}

/** @param {string} file */
function readTotals(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
