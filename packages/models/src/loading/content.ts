// What a name stands for. Graphs name what they want to have bound, so one name with two contents would give one of them the other's.
import type { Parameter } from '@transept/tensor';

/** What one has to know of a parameter to see that another of its name is another one. */
export interface Content {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Of a constant: a hash of its values. They are not kept: tables of positions can be large. */
  readonly hash?: number;
}

export const contentOf = ({ dtype, shape, source }: Parameter): Content => ({
  dtype,
  shape,
  ...('values' in source && { hash: hashOf(source.values) }),
});

/** Throws where a parameter is not what its name has stood for so far. */
export function checkContent(known: Content, parameter: Parameter): void {
  const now = contentOf(parameter);
  const [before, after] = [known, now].map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`);
  if (before !== after || (known.hash === undefined) !== (now.hash === undefined))
    throw new Error(
      `load: "${parameter.name}" was ${kindOf(known)} ${before} and is ${kindOf(now)} ${after}; a name stands for one content in all graphs of a model`,
    );
  if (known.hash !== now.hash)
    throw new Error(
      `load: constant "${parameter.name}" of ${after} has other values than before; a name stands for one content in all graphs of a model`,
    );
}

const kindOf = ({ hash }: Content): string => (hash === undefined ? 'weight' : 'constant');

/** FNV-1a by words, for values of graphs are f32 or i32. The high half is folded in, or two changed signs would cancel. */
function hashOf({ buffer, byteOffset, byteLength }: ArrayBufferView): number {
  const words = new Uint32Array(buffer, byteOffset, byteLength / 4);
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ words[i]!, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}
