// Weights that are larger than a binding: every kernel that reads them, with a limit that makes parts of small ones.
import { expandStored, gather, linear, lower, matmul, reference, storedBytes, trace } from '@transept/tensor';
import type { Backend, Graph, Storage, Tensor } from '@transept/tensor';
import { test } from 'vitest';
import { expectClose } from '../testing/call.ts';
import { onTarget } from '../testing/device.ts';
import { random } from '../testing/tensors.ts';

const [v, c] = [301, 64];
/** What the parts of 4096 or more values have at their ends and beyond. */
const ids = [0, 63, 64, 127, 128, 191, 192, 255, 256, v - 1];

interface Weights {
  readonly storage?: Storage;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function weights(storage?: Storage): Weights {
  const next = random(11);
  if (!storage) return { bytes: new Uint8Array(Float32Array.from({ length: v * c }, next).buffer) };
  const bytes = new Uint8Array(storedBytes(storage, v * c)).map(() => (next() + 1) * 128);
  const step = { f16: 2, bf16: 2, q8: 34, q4: 18 }[storage];
  for (let at = 1; at < bytes.length; at += step) bytes[at] = 0x30 | (bytes[at]! & 0x03);
  return { storage, bytes };
}

/** What `build` makes of the weights "w" and of "x" and "ids". */
async function run(
  backend: Backend,
  { storage, bytes }: Weights,
  build: (g: Graph) => Record<string, Tensor>,
): Promise<Record<string, number[]>> {
  const plan = lower(trace('parts', build), backend, { stored: new Map(storage && [['w', storage]]) });
  const next = random(3);
  using owned = new DisposableStack();
  const bound = Object.fromEntries(
    plan.buffers.flatMap((b) => (b.kind === 'bound' ? [[b.name, owned.use(backend.alloc(b.bytes))]] : [])),
  );
  if (bound['ids']) backend.write(bound['ids'], Int32Array.from(ids));
  if (bound['x']) backend.write(bound['x'], Float32Array.from({ length: bound['x'].bytes / 4 }, next));
  backend.write(bound['w']!, new Uint8Array(Math.ceil(bytes.length / 4) * 4).fill(0xff));
  backend.write(bound['w']!, bytes);
  const program = owned.use(await backend.load(plan, bound));
  program.run();
  const outputs = plan.buffers.flatMap((b) => (b.kind === 'bound' && b.role === 'output' ? [b.name] : []));
  const read = async (name: string): Promise<number[]> => [
    ...new Float32Array((await backend.read(bound[name]!)).buffer),
  ];
  return Object.fromEntries(await Promise.all(outputs.map(async (name) => [name, await read(name)] as const)));
}

async function compare(backend: Backend, given: Weights, build: Parameters<typeof run>[2]): Promise<void> {
  const want = await run(reference(), given, build);
  const got = await run(backend, given, build);
  const values = given.storage ? expandStored(given.storage, given.bytes) : new Float32Array(given.bytes.buffer);
  const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  for (const [name, expected] of Object.entries(want))
    expectClose(got[name]!, expected, name === 'rows' ? 0 : 1e-6 * c * largest);
}

const rows = (g: Graph): Record<string, Tensor> => {
  const table = g.parameter('w', [v, c]);
  return { y: linear(g.input('x', [2, c]), table), rows: gather(table, g.input('ids', [ids.length], 'i32')) };
};
const columns = (m: number) => (g: Graph) => ({ y: matmul(g.input('x', [m, v]), g.parameter('w', [v, c])) });

await onTarget('weights in parts', { binding: 32768, tile: { rows: 1, columns: 4 } }, (backend) => {
  test.each([undefined, 'f16'] as const)('stored as %s', (storage) => compare(backend, weights(storage), rows));
  test('products with columns', () => compare(backend, weights(), columns(3)));
});
await onTarget('weights in blocks in parts', { binding: 8704, tile: { rows: 1, columns: 4 } }, (backend) => {
  test.each(['q8', 'q4'] as const)('stored as %s', (storage) => compare(backend, weights(storage), rows));
});
await onTarget('weights in parts, as a GPU', { binding: 32768, software: false }, (backend) => {
  test('products by tiles', () => compare(backend, weights(), columns(18)));
});
