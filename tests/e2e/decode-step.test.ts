// What one more token of the default model costs the host: on a GPU one submit and nothing made, on the CPU no memory that
// stays. The GPU is a mock that remembers what it was asked.
import { cpu } from '@transept/cpu-backend';
import { programsOf, stream } from '@transept/generate';
import { loadModel } from '@transept/models';
import type { EncoderDecoderModel } from '@transept/models';
import type { Backend, Plan, Program } from '@transept/tensor';
import { webgpu } from '@transept/webgpu-backend';
import { describe, expect, it } from 'vitest';
import { MockDevice } from '../../packages/webgpu-backend/src/testing/mock-device.ts';
import { repository } from './goldens.ts';
import { heapUsed } from './heap.ts';

const files = repository('models/marian-de-en');
const inputIds = [[412, 77, 9, 1803, 0]];

describe('a decode step on WebGPU', () => {
  it('makes nothing but a command encoder, submits once, and reads back one id', async () => {
    const mock = new MockDevice();
    using backend = await webgpu({ device: mock.device });
    using model = await loadModel(files, backend);
    let dispatches = 0;
    let steps: string[][] = [];
    const onStep = (step: { dispatches: number }): void => {
      dispatches = step.dispatches;
      steps.push(mock.calls.splice(0));
    };
    // The mock's only token is 0, so no token ends this.
    const translate = async (): Promise<void> => {
      steps = [];
      for await (const _ of stream(model, { inputIds }, { maxNewTokens: 20, eosTokenId: [1], onStep }));
    };
    await translate();
    await translate();

    expect(steps).toHaveLength(20);
    const [first, ...later] = steps;
    const last = later.pop()!;
    const made = (calls: string[]): string[] => calls.filter((c) => c.startsWith('create'));
    // A second sentence of the same size encodes its source besides, and the second step is under way when the first is read.
    expect(made(first!)).toEqual(new Array(3).fill('createCommandEncoder'));
    for (const calls of later) {
      expect(made(calls)).toEqual(['createCommandEncoder']);
      for (const once of ['submit', 'beginComputePass', 'writeBuffer', 'copy', 'mapAsync'])
        expect(calls.filter((c) => c === once)).toHaveLength(1);
      expect(calls.filter((c) => c === 'dispatchWorkgroups')).toHaveLength(dispatches);
    }
    expect(last).toEqual([]);
    const read = mock.buffers.filter(({ label }) => label === 'staging of tokens').map(({ size }) => size);
    expect(Math.max(...read)).toBeLessThanOrEqual(64);
    const layers = (model.model as EncoderDecoderModel).decoderLayers;
    expect(dispatches).toBeLessThanOrEqual(10 * layers + 4);
  });
});

describe('a decode step on the CPU', () => {
  it('leaves nothing behind in the heap', async () => {
    using backend = await cpu({ threads: 1 });
    using model = await loadModel(files, backend);
    const plan = programsOf(model.model, backend).at(-1)!;
    using program = await loadBlank(backend, plan);
    const run = (steps: number): void => {
      for (let i = 0; i < steps; i++) program.run([i % 60]);
    };
    run(500);
    const before = heapUsed();
    run(1500);
    expect(heapUsed() - before).toBeLessThan(4 * 1500);
  });
});

/** A program whose inputs and parameters are zeros. */
async function loadBlank(backend: Backend, plan: Plan): Promise<Program> {
  const buffers = plan.buffers.flatMap((b) => (b.kind === 'bound' ? [[b.name, backend.alloc(b.bytes)] as const] : []));
  return backend.load(plan, Object.fromEntries(buffers));
}
