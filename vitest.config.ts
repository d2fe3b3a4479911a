// All tests of the repository. Packages are resolved to their sources; nothing needs to be built, except WebAssembly.
// The slow project (tests/: whole models, packing; and whole pages) runs after the unit tests, one file at a time.
import { defineConfig } from 'vitest/config';

const conditions = ['@transept/source', 'module', 'node', 'development|production'];
const slow = ['tests/**/*.test.ts', 'apps/*/e2e/**/*.test.ts', '{apps,scripts}/**/*.e2e.test.ts'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['@transept/source', 'node'] } },
  test: {
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,apps,examples,tests,scripts}/**/*.test.ts'],
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
