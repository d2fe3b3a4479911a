// The way in on a fresh machine: `node scripts/run.mjs TASK [arguments]` needs Node 20, npm and nothing else. It
// installs, builds and finds WebGPU as far as the task needs them, then hands over to Node 24.
import { install } from './install.mjs';
import { build } from './build.mjs';
import { runTask } from './run-task.mjs';
import { tasks } from './tasks.mjs';
import { say } from './workspace.mjs';
import { webgpuEnvironment } from './webgpu-environment.mjs';

/**
 * Runs one task and ends this process as the task ended.
 * @param {string | undefined} name
 * @param {string[]} args
 */
async function main(name, args) {
  const task = tasks[name ?? ''];
  if (!task) throw new Error(`run: no task is named ${name}; the tasks are ${Object.keys(tasks).join(', ')}`);
  install();
  if (task.needs) await build(task.needs);
  const environment = task.webgpu ? await webgpuEnvironment() : {};
  await runTask(task, args, environment);
}

const name = process.argv[2];
main(name, process.argv.slice(3)).catch((error) => {
  say(error instanceof Error ? error.message : String(error));
  if (tasks[name ?? '']?.totals) process.stdout.write('0 passed, 1 failed, 0 skipped\n');
  process.exitCode = 1;
});
