// The loss of a recorded call: the outputs of a pass against the labels, in a small program of its own.
import type { ForwardOutputs } from '@transept/generate';
import { lossOf } from '@transept/models';
import type { LoadedModel, Targets } from '@transept/models';
import { lower, trace } from '@transept/tensor';
import type { Buffer } from '@transept/tensor';
import type { GoldenArray } from './golden.ts';

export async function lossFrom(
  { model, backend }: LoadedModel,
  outputs: ForwardOutputs,
  targets: Readonly<Partial<Record<keyof Targets, GoldenArray>>>,
): Promise<number> {
  const given = { ...outputs, ...targets } as Readonly<Record<string, GoldenArray>>;
  const traced = trace(`${model.modelType} loss`, (g) => {
    const inputs = Object.fromEntries(
      Object.entries(given).map(([name, { shape, data }]) => [
        name,
        g.input(name, shape, data instanceof Int32Array ? 'i32' : 'f32'),
      ]),
    );
    return { loss: lossOf(model, inputs, inputs) };
  });
  const plan = lower(traced, backend, { readback: ['loss'] });
  using owned = new DisposableStack();
  const buffers: Record<string, Buffer> = {};
  for (const bound of plan.buffers) {
    if (bound.kind !== 'bound') continue;
    const buffer = (buffers[bound.name] = owned.use(backend.alloc(bound.bytes)));
    const content = bound.role === 'input' ? given[bound.name]?.data : undefined;
    if (content) backend.write(buffer, content);
  }
  const program = owned.use(await backend.load(plan, buffers));
  program.run();
  return new Float32Array((await program.read('loss')).buffer)[0]!;
}
