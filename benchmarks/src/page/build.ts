// What pages load, bundled and minified as an application would be: ours and the peers', each runtime in a file of its own.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importPeer, madePages, peerPath } from '../peers/installed.ts';

interface Resolved {
  readonly path: string;
}
interface PluginBuild {
  onResolve(options: { filter: RegExp }, resolve: () => Resolved): void;
}
interface Esbuild {
  build(options: object): Promise<unknown>;
}

/** The onnxruntime that transformers.js brings along, or the one beside it, below the peers' packages. */
export const onnxruntime = (): string => {
  const nested = '@huggingface/transformers/node_modules/onnxruntime-web';
  return existsSync(peerPath(nested)) ? nested : 'onnxruntime-web';
};

/** transformers.js with onnxruntime's plain CPU build, and as it comes: with the one that knows WebGPU. */
export const builds = ['plain', 'default'] as const;
export type Build = (typeof builds)[number];
export const onnxruntimeFile: Readonly<Record<Build, string>> = {
  plain: 'ort-wasm-simd-threaded',
  default: 'ort-wasm-simd-threaded.asyncify',
};

const alias = (name: RegExp, path: string): object => ({
  name: String(name),
  setup: (build: PluginBuild) => build.onResolve({ filter: name }, () => ({ path })),
});

export async function buildPages(): Promise<void> {
  const esbuild = await importPeer<Esbuild>('esbuild/lib/main.js');
  const source = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const common = {
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    logLevel: 'error',
    conditions: ['@transept/source'],
    nodePaths: [peerPath('')],
    external: ['node:*'],
  };
  const bundle = (name: string, out: string, plugins: readonly object[] = []): Promise<unknown> =>
    esbuild.build({ ...common, entryPoints: [source(name)], outfile: join(madePages, `${out}.js`), plugins });
  await bundle('transept-worker.ts', 'transept-worker');
  await bundle('transept-load.ts', 'transept-load');
  await bundle('wllama-page.ts', 'wllama');
  for (const build of builds) {
    const plugins =
      build === 'plain'
        ? [alias(/^onnxruntime-web\/webgpu$/, peerPath(join(onnxruntime(), 'dist', 'ort.wasm.min.mjs')))]
        : [];
    if (build === 'plain') await bundle('transformers-worker.ts', 'transformers-worker', plugins);
    await bundle('transformers-load.ts', `transformers-load-${build}`, plugins);
  }
}
