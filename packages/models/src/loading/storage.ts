// How each weight is stored on the device, and whether there is room for all of them.
import {
  BackendError,
  bytesPer,
  canStore,
  elements,
  MemoryError,
  storedBytes,
  UnsupportedError,
} from '@transept/tensor';
import type { Backend, Parameter, Storage } from '@transept/tensor';
import type { Model } from '../family.ts';
import { parametersOf, storable } from './parameters.ts';

/** `f32` for all, or another storage for every matrix that can have it; vectors and what else cannot stay f32. */
export type WeightType = 'f32' | Storage;

/** How keys and values of earlier tokens are kept. */
export type CacheType = 'f32' | 'f16';

/** Throws an UnsupportedError where a backend has no memory of the type. */
export function checkCache(type: CacheType, { name, capabilities: { dtypes } }: Backend): void {
  if (!dtypes.has(type))
    throw new UnsupportedError(
      `load: keys and values as ${type}: memory of the ${name} backend holds ${[...dtypes].join(', ')} here; leave keyValueCache out`,
    );
}

/** The storage of each parameter that is not f32. Throws an UnsupportedError that says what the backend takes. */
function chooseStorage(
  parameters: readonly Parameter[],
  storable: ReadonlySet<string>,
  weights: WeightType,
  { name, capabilities }: Backend,
): Map<string, Storage> {
  if (weights === 'f32') return new Map();
  const taken = ['f32', ...(capabilities.weights ?? [])];
  if (!taken.includes(weights))
    throw new UnsupportedError(`load: weights as ${weights}: the ${name} backend cannot; it takes ${taken.join(', ')}`);
  const chosen = parameters.filter(
    ({ name, shape, dtype, source }) =>
      dtype === 'f32' && storable.has(name) && 'parts' in source && !source.plus && canStore(weights, shape),
  );
  if (chosen.length === 0)
    throw new UnsupportedError(
      `load: weights as ${weights}: no weight of this model can be stored so; that takes matrices with rows of whole blocks of 32; load it as f32`,
    );
  return new Map(chosen.map(({ name }) => [name, weights]));
}

/** The storages that loading a model with `weights` gives its parameters. */
export const storageOf = (model: Model, backend: Backend, weights: WeightType): Map<string, Storage> =>
  chooseStorage(parametersOf(model), storable(model), weights, backend);

/** Bytes that a parameter takes on the device: a multiple of 4. */
export function parameterBytes({ shape, dtype }: Parameter, stored: Storage | undefined): number {
  const count = elements(shape);
  return Math.ceil((stored ? storedBytes(stored, count) : count * bytesPer[dtype]) / 4) * 4;
}

/** Throws a BackendError where the device cannot have one of the weights, a MemoryError where it cannot have them all together. */
export function checkMemory(
  parameters: readonly Parameter[],
  stored: ReadonlyMap<string, Storage>,
  { name: backend, capabilities, memory }: Backend,
): void {
  const { maxBufferBytes, maxMemoryBytes = Infinity, moreMemory } = capabilities;
  let total = 0;
  for (const parameter of parameters) {
    const { name, shape } = parameter;
    const bytes = parameterBytes(parameter, stored.get(name));
    if (bytes > maxBufferBytes)
      throw new BackendError(
        `load: "${name}" of shape [${shape.join(', ')}] takes ${bytes} bytes; the ${backend} backend allows ${maxBufferBytes} in one buffer`,
      );
    total += bytes;
  }
  if (memory.bytes + total > maxMemoryBytes)
    throw new MemoryError(
      `load: the weights take ${total} bytes; the ${backend} backend has ${maxMemoryBytes}, of which ${memory.bytes} are in use. ` +
        `Fewer: ${['f32', ...(capabilities.weights ?? [])].join(', ')} are the storages it takes${moreMemory ? `. More: ${moreMemory.how}` : ''}`,
      memory.bytes + total,
    );
}
