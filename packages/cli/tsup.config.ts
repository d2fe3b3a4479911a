import { defineConfig } from 'tsup';
import { library } from '../../tsup.base.ts';

// What is in devDependencies becomes part of the bundle; THIRD-PARTY.md has the licences.
export default defineConfig({
  ...library,
  entry: ['src/main.ts', 'src/bin.ts'],
  dts: { entry: ['src/main.ts'] },
  platform: 'node',
});
