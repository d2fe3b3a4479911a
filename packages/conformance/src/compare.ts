// Results against what they have to be: the first wrong element, how far off it is, and what the wrong ones look like.
import type { Shape } from '@transept/tensor';
import { sentinel } from './fence.ts';
import type { TypedArray } from './fence.ts';
import type { Cells } from './oracle/cells.ts';
import type { Symptom, Wrong } from './result.ts';

export interface Comparison {
  /** The largest distance from the exact value, as a part of its bound. */
  readonly closeness: number;
  readonly wrong?: Omit<Wrong, 'buffer' | 'run'>;
}

export function compare(received: TypedArray, expected: Cells, shape: Shape): Comparison {
  const unwritten = unwrittenTest(received);
  let [closeness, first, count] = [0, -1, 0];
  for (let i = 0; i < received.length; i++) {
    if (!unwritten(i) && isRight(received[i]!, expected, i)) {
      const part = distanceAt(received, expected, i) / boundAt(received, expected, i);
      if (part > closeness && Number.isFinite(part)) closeness = part;
      continue;
    }
    if (first < 0) first = i;
    count++;
  }
  if (first < 0) return { closeness };
  const [symptom, detail] = diagnose(received, expected, shape, first);
  return {
    closeness: Infinity,
    wrong: {
      index: indexOf(first, shape),
      received: received[first]!,
      expected: expected.value[first]!,
      distance: distanceAt(received, expected, first),
      bound: boundAt(received, expected, first),
      count,
      of: received.length,
      symptom,
      detail,
    },
  };
}

function isRight(received: number, { low, high }: Cells, i: number): boolean {
  const [l, h] = [low[i]!, high[i]!];
  if (received >= l && received <= h) return true;
  return Number.isNaN(received) && (Number.isNaN(l) || (l === -Infinity && h === Infinity));
}

const distanceAt = (received: TypedArray, { value }: Cells, i: number): number => Math.abs(received[i]! - value[i]!);

const boundAt = (received: TypedArray, { value, low, high }: Cells, i: number): number =>
  received[i]! > value[i]! ? high[i]! - value[i]! : value[i]! - low[i]!;

function indexOf(at: number, shape: Shape): number[] {
  const index = new Array<number>(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = at % shape[axis]!;
    at = Math.floor(at / shape[axis]!);
  }
  return index;
}

/** Does an element still hold the sentinel that memory was filled with? */
function unwrittenTest(received: TypedArray): (i: number) => boolean {
  const { buffer, BYTES_PER_ELEMENT: size, length } = received;
  if (size === 4) {
    const bits = new Uint32Array(buffer, 0, length);
    return (i) => bits[i] === sentinel;
  }
  const bits = size === 2 ? new Uint16Array(buffer, 0, length) : new Uint8Array(buffer, 0, length);
  // A single byte may well be equal to a part of the sentinel.
  return size === 2 ? (i) => bits[i] === (sentinel & 0xffff) : () => false;
}

function diagnose(received: TypedArray, expected: Cells, shape: Shape, first: number): [Symptom, string] {
  const unwritten = unwrittenTest(received);
  const { length } = received;
  if (unwritten(first)) {
    let last = first;
    while (last + 1 < length && unwritten(last + 1)) last++;
    return [
      'unwritten',
      first === 0 && last === length - 1 ? 'nothing was written' : `elements ${first} to ${last} were never written`,
    ];
  }
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const matrix = rows * columns;
  if (rows > 1 && columns > 1) {
    const turned = (i: number): number => {
      const place = i % matrix;
      return i - place + (place % rows) * columns + Math.floor(place / rows);
    };
    if (agrees(received, expected, turned)) return ['transposed', 'the last two axes are swapped'];
  }
  for (let by = 1; by <= Math.min(64, length / 2); by++)
    for (const shift of [by, -by])
      if (agrees(received, expected, (i) => i + shift))
        return ['shifted', `element i holds what belongs to i ${shift > 0 ? '+' : '−'} ${by}`];
  const factor = received[first]! / expected.value[first]!;
  if (factor !== 1 && Number.isFinite(factor) && factor !== 0 && isScaled(received, expected, factor))
    return ['scaled', `by ${factor.toPrecision(4)}`];
  if (Number.isNaN(received[first]) && !Number.isNaN(expected.value[first]!)) return ['not a number', ''];
  if (
    received instanceof Float32Array &&
    received.every((x) => Math.f16round(x) === x || Number.isNaN(x)) &&
    expected.value.some((x) => Math.f16round(x) !== x)
  )
    return ['rounded to f16', ''];
  return ['unknown', ''];
}

/** Is nearly every element right at another place, most of them different from what they should be? */
function agrees(received: TypedArray, expected: Cells, place: (i: number) => number): boolean {
  let [right, tried, telling] = [0, 0, 0];
  for (let i = 0; i < received.length; i++) {
    const at = place(i);
    if (at < 0 || at >= received.length) continue;
    tried++;
    if (isRight(received[i]!, expected, at)) right++;
    if (!isRight(received[i]!, expected, i)) telling++;
    if (tried > 8 && right < tried * 0.9) return false;
  }
  return tried >= 4 && telling > 1 && right >= tried * 0.9;
}

function isScaled(received: TypedArray, { value, low, high }: Cells, factor: number): boolean {
  let [right, tried] = [0, 0];
  for (let i = 0; i < received.length; i++) {
    if (value[i] === 0) continue;
    tried++;
    const room = Math.max(high[i]! - low[i]!, 1e-6 * Math.abs(value[i]!)) * Math.max(1, Math.abs(factor)) * 2;
    if (Math.abs(received[i]! - factor * value[i]!) <= room) right++;
  }
  return tried >= 4 && right >= 0.9 * tried;
}
