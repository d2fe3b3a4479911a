// How every published package is built: one ESM bundle with declarations. Packages spread this and add what differs.
import type { Options } from 'tsup';

export const library: Options = {
  entry: ['src/index.ts'],
  format: 'esm',
  target: 'es2023',
  platform: 'neutral',
  dts: true,
  sourcemap: true,
  clean: true,
};
