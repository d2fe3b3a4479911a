// Dispatches with a timestamp before and after each, which only passes can take.
import { BackendError } from '@transept/tensor';
import { bufferUsage } from './constants.ts';
import type { Context } from './context.ts';

/** Most timestamps that a query set holds. */
const mostStamps = 4096;

/** Encodes `count` passes by `encode` and submits them: two numbers of nanoseconds for each. */
export async function stampPasses(
  context: Context,
  count: number,
  encode: (pass: GPUComputePassEncoder, i: number) => void,
): Promise<BigInt64Array<ArrayBuffer>> {
  const { device } = context;
  if (!device.features.has('timestamp-query'))
    throw new BackendError('profile: the device has no timestamps; ask for one with the feature timestamp-query');
  if (2 * count > mostStamps)
    throw new BackendError(`profile: too many dispatches: ${count}; timestamps are there for ${mostStamps / 2}`);
  const bytes = 16 * Math.max(1, count);
  const querySet = device.createQuerySet({ type: 'timestamp', count: Math.max(2, 2 * count) });
  const resolved = context.createBuffer('timestamps', bytes, bufferUsage.queryResolve | bufferUsage.copySource);
  const staging = context.createBuffer('timestamps', bytes, bufferUsage.mapRead | bufferUsage.copyTarget);
  try {
    const encoder = device.createCommandEncoder();
    for (let i = 0; i < count; i++) {
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
      const pass = encoder.beginComputePass({ timestampWrites });
      encode(pass, i);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, 2 * count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16 * count);
    device.queue.submit([encoder.finish()]);
    const copy = await context.copyOut(staging, 16 * count, 'profile');
    return new BigInt64Array(copy.buffer);
  } finally {
    querySet.destroy();
    context.destroyBuffer(resolved);
    context.destroyBuffer(staging);
  }
}
