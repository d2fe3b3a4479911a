// The tasks that `node scripts/run.mjs NAME [arguments]` knows. A task is one line here:
//   needs    what turbo does first: 'wasm' (enough to run the sources), 'build', 'typecheck'
//   webgpu   whether the process gets what it takes to find a WebGPU adapter
//   from     where it runs: 'root', or 'caller' (paths are relative to where the command was typed)
//   command  program and arguments; the caller's arguments follow. `node` is Node 24
import { join } from 'node:path';
import { modules, root } from './workspace.mjs';

const sources = ['node', '--conditions=@transept/source'];
const commandLine = [...sources, join(root, 'packages', 'cli', 'src', 'bin.ts')];
const vitest = ['node', join(modules, 'vitest', 'vitest.mjs'), 'run'];

/** @typedef {{ needs?: ('wasm' | 'build' | 'typecheck')[], webgpu: boolean, from: 'root' | 'caller', command: string[], totals?: boolean }} Task */

/** @type {Record<string, Task>} */
export const tasks = {
  demo: { needs: ['wasm'], webgpu: true, from: 'root', command: [...commandLine, 'demo'] },
  start: {
    needs: ['wasm'],
    webgpu: false,
    from: 'root',
    command: [...sources, join(root, 'apps', 'compare', 'serve.ts')],
  },
  test: { needs: ['build', 'typecheck'], webgpu: true, from: 'root', command: vitest, totals: true },
  transept: { needs: ['wasm'], webgpu: true, from: 'caller', command: commandLine },
  bench: {
    needs: ['wasm'],
    webgpu: true,
    from: 'caller',
    command: [...sources, join(root, 'benchmarks', 'bench.ts')],
  },
  exec: { webgpu: true, from: 'caller', command: [] },
};
