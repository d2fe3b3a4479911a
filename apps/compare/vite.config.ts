// The page: packages are taken from their sources, and the default model is served with it without lying in git twice.
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sirv from 'sirv';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';
import { isolation } from './server.ts';

const modelName = 'marian-de-en';
const modelFolder = join(import.meta.dirname, '..', '..', 'models', modelName);
const modelFiles = ['README.md', 'config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json'];

/** Serves models/marian-de-en while developing, and copies what the page reads of it, with its attribution, when building. */
function defaultModel(): Plugin {
  return {
    name: 'default-model',
    configureServer(server) {
      server.middlewares.use(`/models/${modelName}`, sirv(modelFolder, { dev: true }));
    },
    async writeBundle({ dir }) {
      const target = join(dir!, 'models', modelName);
      await mkdir(target, { recursive: true });
      await Promise.all(modelFiles.map((file) => copyFile(join(modelFolder, file), join(target, file))));
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [defaultModel()],
  resolve: { conditions: ['@transept/source', 'module', 'browser', 'development|production'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { target: 'es2023', emptyOutDir: true },
  worker: { format: 'es' },
  server: { headers: isolation },
});
