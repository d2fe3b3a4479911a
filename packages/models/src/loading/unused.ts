// Tensors that a checkpoint holds and a model never reads: heads of other tasks, or weights under a name that the model reads as
// missing. Tables that can be computed, and copies of what is read, as checkpoints keep them too, are not among them.
import type { Checkpoint } from '@transept/checkpoint';

/** Last parts of names of tables that are computed: positions, frequencies, what stands for a masked score, causal masks. */
const computed =
  /(^|\.)(position_ids|(original_)?inv_freq|(sin|cos)_cached|masked_bias|embed_positions\.weights?|num_batches_tracked)$/;
const causalMask = /(^|\.)(attn|attention)\.bias$/;

/** Names of the checkpoint's tensors that are not read, in its order. */
export function unusedTensors(
  { tensors }: Checkpoint,
  read: ReadonlyMap<string, unknown>,
  copies: ReadonlySet<string>,
): string[] {
  const harmless = (name: string, shape: readonly number[]): boolean =>
    computed.test(name) || (causalMask.test(name) && shape.length === 4);
  return [...tensors.values()]
    .filter(({ name, shape }) => !read.has(name) && !copies.has(name) && !harmless(name, shape))
    .map((t) => t.name);
}
