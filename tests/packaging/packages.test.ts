// What is published works by itself: packed, installed into an empty folder, used there from its built files.
import { existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Manifest } from './tarballs.ts';
import { installPacked, publishedPackages, readManifest, root, runModule, typecheckModule } from './tarballs.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'transept-packed-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a package may depend on that is not ours: chat templates are Jinja, loaded when one is used. */
const foreign: Readonly<Record<string, readonly string[]>> = { '@transept/tokenizer': ['@huggingface/jinja'] };

/** Packages that run in Node and nowhere else; the others say which Node they need where it is Node. */
const forNode = new Set(['@transept/cli']);

test('the packages install together, and each says truly what it contains', () => {
  const names = [...publishedPackages().keys()];
  installPacked(names, folder);
  for (const name of names) {
    const installed = join(folder, 'node_modules', name);
    const { version, exports = {}, bin = {}, dependencies = {} } = readManifest(installed);
    const promised = [...Object.values(exports).flatMap(publishedFiles), ...Object.values(bin)];
    expect(promised, `${name} exports something`).not.toEqual([]);
    for (const file of promised) expect(existsSync(join(installed, file)), `${name} contains ${file}`).toBe(true);
    expect(readdirSync(installed), name).toContain('LICENSE');
    for (const [dependency, range] of Object.entries(dependencies)) {
      if (foreign[name]?.includes(dependency)) continue;
      expect(names, `${name} depends on nothing foreign`).toContain(dependency);
      expect(range, `${name} → ${dependency}`).toBe(`^${version}`);
    }
  }
  const manifests = names.map((name) => readManifest(join(folder, 'node_modules', name)));
  for (const { name, engines } of manifests)
    expect(engines?.node, `${name} says which Node it needs`).toMatch(/^>=\d+$/);
  const entries = manifests.flatMap(entryPoints);
  const program = `
    ${importAll(entries)}
    console.log(JSON.stringify([${entries.map((_, index) => `Object.keys(entry${index}).length`)}]));`;
  const counted = JSON.parse(runModule(program, folder)) as number[];
  entries.forEach((entry, index) => expect(counted[index], `${entry} exports values`).toBeGreaterThan(0));
  // What is not for Node alone must be usable where there are no types of Node.
  for (const node of [false, true]) {
    const some = manifests.filter(({ name }) => forNode.has(name) === node).flatMap(entryPoints);
    typecheckModule(`${importAll(some)}\nexport const all = [${some.map((_, index) => `entry${index}`)}];`, folder, {
      node,
    });
  }
});

function importAll(entries: readonly string[]): string {
  return entries.map((entry, index) => `import * as entry${index} from ${JSON.stringify(entry)};`).join('\n');
}

test('the tokenizer works alone', () => {
  installPacked(['@transept/tokenizer'], folder);
  expect(installedPackages()).toEqual(['@huggingface/jinja', '@transept/tokenizer']);
  const program = `
    import { readFileSync } from 'node:fs';
    import { Tokenizer } from '@transept/tokenizer';
    const tokenizer = await Tokenizer.fromJSON(readFileSync(${JSON.stringify(join(root, 'models/marian-de-en/tokenizer.json'))}, 'utf8'));
    const rows = JSON.parse(process.argv[2]);
    console.log(JSON.stringify(rows.map(([source, greedy]) => [tokenizer.ids(source), tokenizer.decode(greedy)])));`;
  const golden = readFileSync(join(root, 'fixtures', 'marian-de-en', 'golden-text.json'), 'utf8');
  const rows = (JSON.parse(golden) as { rows: GoldenRow[] }).rows.slice(0, 5);
  const result = JSON.parse(
    runModule(program, folder, [JSON.stringify(rows.map(({ source, greedy }) => [source, greedy]))]),
  );
  expect(result).toEqual(rows.map((row) => [row.input_ids, row.greedy_text]));
});

interface GoldenRow {
  source: string;
  input_ids: number[];
  greedy: number[];
  greedy_text: string;
}

test('tensor and the CPU backend run a graph by themselves', () => {
  installPacked(['@transept/tensor', '@transept/cpu-backend'], folder);
  expect(installedPackages()).toEqual(['@transept/cpu-backend', '@transept/tensor']);
  // x [2, 3] times a transposed weight [4, 3], softmaxed: every backend, the same distribution.
  const program = `
    import { cpu } from '@transept/cpu-backend';
    import { lower, matmul, reference, softmax, trace, transpose } from '@transept/tensor';
    const graph = trace('tiny', (g) => ({ y: softmax(matmul(g.input('x', [2, 3]), transpose(g.parameter('w', [4, 3])))) }));
    const values = { x: [0, 1, 2, 3, 4, 5], w: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2] };
    const results = {};
    for (const backend of [reference(), await cpu({ threads: 1 }), await cpu({ threads: 2 })]) {
      const plan = lower(graph, backend);
      const bound = {};
      for (const { kind, name, bytes } of plan.buffers) if (kind === 'bound') bound[name] = backend.alloc(bytes);
      for (const name in values) backend.write(bound[name], new Float32Array(values[name]));
      const program = await backend.load(plan, bound);
      program.run();
      const y = new Float32Array((await backend.read(bound.y)).buffer);
      results[backend.name + ' ' + backend.capabilities.details.threads] = [...y];
      program[Symbol.dispose]();
      for (const name in bound) bound[name][Symbol.dispose]();
      backend[Symbol.dispose]();
    }
    console.log(JSON.stringify(results));`;
  const results = JSON.parse(runModule(program, folder)) as Record<string, number[]>;
  expect(Object.keys(results)).toEqual(['reference 1', 'cpu 1', 'cpu 2']);
  // Row 0 of x·wᵀ is 0.8, 1.7, 2.6, 3.5.
  const exponentials = [0.8, 1.7, 2.6, 3.5].map(Math.exp);
  const sum = exponentials.reduce((a, b) => a + b);
  for (const [backend, y] of Object.entries(results)) {
    expect(y, backend).toHaveLength(8);
    exponentials.forEach((value, index) => expect(y[index], backend).toBeCloseTo(value / sum, 6));
  }
});

function installedPackages(): string[] {
  const installed = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as { packages: object };
  return Object.keys(installed.packages)
    .filter((path) => path !== '')
    .map((path) => path.replace('node_modules/', ''))
    .sort();
}

/** The files that one line of "exports" promises to users; our own condition points to sources, which are not packed. */
function publishedFiles(conditions: Record<string, string> | string): string[] {
  if (typeof conditions === 'string') return [conditions];
  return Object.entries(conditions).flatMap(([condition, file]) => (condition === '@transept/source' ? [] : [file]));
}

function entryPoints({ name, exports = {} }: Manifest): string[] {
  return Object.keys(exports)
    .filter((path) => !/\.json$|\.wasm$|worker/.test(path))
    .map((path) => name + path.slice(1));
}
