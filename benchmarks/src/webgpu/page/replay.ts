// The JavaScript of one step: how long `run` of a step's program keeps its thread. Models have the real number of layers and are
// narrow, so that what computes is idle most of the time.
import { programsOf } from '@transept/generate';
import { createModel } from '@transept/models';
import type { Json } from '@transept/models';
import type { Backend } from '@transept/tensor';
import { webgpu } from '@transept/webgpu-backend';
import { configs } from '../../cpu/models.ts';

const narrow = {
  translator: {
    d_model: 64,
    encoder_ffn_dim: 128,
    decoder_ffn_dim: 128,
    vocab_size: 256,
    decoder_vocab_size: 256,
    pad_token_id: 255,
    decoder_start_token_id: 255,
  },
  smollm: { hidden_size: 72, intermediate_size: 128, vocab_size: 256 },
} as const satisfies Record<string, Json>;

export type NarrowName = keyof typeof narrow;

/** The shape of a model but for its widths. */
export const narrowConfig = (name: NarrowName): Json => ({ ...configs[name], ...narrow[name] });

export interface ReplayTimes {
  readonly dispatches: number;
  /** Microseconds of `run`. */
  readonly median: number;
  readonly best: number;
}

/** Runs in a row, before what computes may catch up. */
const inRow = 10;

let backend: Promise<Backend> | undefined;

/** Times `count` replays of a model's step. */
export async function timeReplays(name: NarrowName, count: number): Promise<ReplayTimes> {
  const device = await (backend ??= webgpu());
  const sizes = { length: 16, capacity: 64 };
  const plan = programsOf(createModel(narrowConfig(name)), device, sizes).at(-1)!;
  using owned = new DisposableStack();
  const buffers = Object.fromEntries(
    plan.buffers.flatMap((b) => (b.kind === 'bound' ? [[b.name, owned.use(device.alloc(b.bytes))] as const] : [])),
  );
  const program = owned.use(await device.load(plan, buffers));
  const times: number[] = [];
  const scalars = [0];
  while (times.length < count) {
    for (let i = 0; i < inRow; i++) {
      scalars[0] = i;
      const began = performance.now();
      program.run(scalars);
      times.push((performance.now() - began) * 1000);
    }
    await device.read(buffers['logits']!, 0, 4);
  }
  times.sort((a, b) => a - b);
  return { dispatches: program.dispatches, median: times[times.length >> 1]!, best: times[0]! };
}
