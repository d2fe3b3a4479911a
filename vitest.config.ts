// All tests of the repository. Packages are resolved to their sources; nothing needs to be built, except WebAssembly.
// The slow project (packing, whole pages) runs after the unit tests, one file at a time.
import { defineConfig } from 'vitest/config';

const source = '@transept/source';
const conditions = [source, 'module', 'node', 'development|production'];
const slow = ['tests/packaging/**/*.test.ts', '{apps,tests}/**/*.e2e.test.ts'];
const shared = {
  environment: 'node',
  pool: 'forks',
  execArgv: [`--conditions=${source}`],
} as const;

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: [source, 'node'] } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: 'unit',
          include: ['{packages,apps,tests,scripts}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**', ...slow],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: 'slow',
          include: slow,
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
