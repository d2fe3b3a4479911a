// A number together with all the values that a correct device may have computed for it: an interval around the exact value.
// Scalar functions carry intervals through, and widen them by their own error.
import type { Arithmetic, ComputeType, ScalarFn } from '@transept/tensor';
import { functionError, half, largest, smallestNormal, storageError, ulp } from '../bounds.ts';

export interface Bounded {
  /** Computed in f64. */
  readonly value: number;
  /** What lies from `low` to `high` is correct; −Infinity to Infinity means anything at all, NaN included. */
  readonly low: number;
  readonly high: number;
}

export const exact = (value: number): Bounded => ({ value, low: value, high: value });
export const anything = (value: number): Bounded => ({ value, low: -Infinity, high: Infinity });
const isExact = ({ value, low, high }: Bounded): boolean => (low === value && high === value) || Number.isNaN(low);
export const isAnything = ({ low, high }: Bounded): boolean => low === -Infinity && high === Infinity;

/** An interval after rounding to f32: numbers too large may be infinite, numbers too small may be 0. */
export function widened(value: number, low: number, high: number): Bounded {
  if (Number.isNaN(value)) return exact(value);
  if (Number.isNaN(low) || Number.isNaN(high)) return anything(value);
  const grain = smallestNormal * ulp;
  if (Math.abs(low) < smallestNormal && low !== 0) low = low > 0 ? 0 : low - grain;
  if (Math.abs(high) < smallestNormal && high !== 0) high = high < 0 ? 0 : high + grain;
  if (low > largest) low = largest;
  if (low < -largest) low = -Infinity;
  if (high > largest) high = Infinity;
  if (high < -largest) high = -largest;
  return { value, low, high };
}

/** A number that the host gives and the device keeps as f32. */
export function literal(value: number): Bounded {
  const rounded = Math.fround(value);
  return rounded === value || Number.isNaN(value)
    ? exact(value)
    : { value, low: Math.min(value, rounded), high: Math.max(value, rounded) };
}

/** An f32 as arithmetic sees it: a subnormal one may count as 0. */
export function operand(x: Bounded): Bounded {
  const { value, low, high } = x;
  if (Math.abs(value) >= smallestNormal || value === 0 || Number.isNaN(value)) return x;
  return { value, low: Math.min(low, 0), high: Math.max(high, 0) };
}

/** Rounded when stored. */
export function stored(x: Bounded, dtype: string): Bounded {
  if (dtype !== 'f16' || Number.isNaN(x.value) || (isExact(x) && !Number.isFinite(x.value))) return x;
  const low = x.low - storageError('f16', Math.abs(x.low));
  const high = x.high + storageError('f16', Math.abs(x.high));
  const small = half.smallestNormal;
  return {
    value: x.value,
    low: low < -half.largest ? -Infinity : low > 0 && low < small ? 0 : Math.min(low, half.largest),
    high: high > half.largest ? Infinity : high < 0 && high > -small ? 0 : Math.max(high, -half.largest),
  };
}

type Real = (...args: number[]) => number;

/** A function of f32 numbers, in the given arithmetic. `evaluate` is the function in f64; `ulps` comes on top of its own error. */
export function applyFloat(
  fn: ScalarFn,
  args: readonly Bounded[],
  evaluate: Real,
  arithmetic: Arithmetic,
  ulps = 0,
): Bounded {
  const values = args.map((a) => a.value);
  const value = evaluate(...values);
  if (args.some(isAnything)) return fn === 'select' ? select(args, value) : special(fn, value);
  if (fn === 'less' || fn === 'lessEqual' || fn === 'equal') return compare(fn, args[0]!, args[1]!, value);
  if (fn === 'select') return select(args, value);
  if (values.some(Number.isNaN) && (fn === 'max' || fn === 'min')) return anything(value);
  const error = (result: number, at: readonly number[]): number =>
    Number.isFinite(result) ? functionError(fn, result, at, arithmetic) + ulps * ulp * Math.abs(result) : 0;
  if (args.every(isExact)) {
    if (fn === 'mod') return modulo(value, values, error(value, values));
    const e = error(value, values);
    if (Math.abs(value) === Infinity && arithmetic === 'ieee') return exact(value);
    return e === Infinity ? anything(value) : widened(value, value - e, value + e);
  }
  if (fn === 'mod') return anything(value);
  if (Number.isNaN(value)) return anything(value);
  const corners = cornersOf(fn, args);
  if (!corners) return anything(value);
  let [low, high] = [value, value];
  for (const at of corners) {
    const result = evaluate(...at);
    if (Number.isNaN(result)) return anything(value);
    const e = error(result, at);
    low = Math.min(low, result - e);
    high = Math.max(high, result + e);
  }
  return low === -Infinity && high === Infinity ? anything(value) : clampToRange(fn, widened(value, low, high));
}

/** What is known although an argument may be anything. */
function special(fn: ScalarFn, value: number): Bounded {
  if (fn === 'less' || fn === 'lessEqual' || fn === 'equal') return { value, low: 0, high: 1 };
  return anything(value);
}

/** The argument values between which a function takes its extremes, or undefined where that cannot be told. */
function cornersOf(fn: ScalarFn, args: readonly Bounded[]): number[][] | undefined {
  const [a, b] = args as [Bounded, Bounded?];
  if (fn === 'div' && b!.low <= 0 && b!.high >= 0) return undefined;
  if (fn === 'pow' && a.low <= 0) return undefined;
  if ((fn === 'log' || fn === 'rsqrt' || fn === 'sqrt') && a.low < 0) return undefined;
  const ends = (x: Bounded): number[] => [x.low, x.value, x.high];
  if (fn === 'sin' || fn === 'cos') {
    if (a.high - a.low > 0.1) return undefined;
    const turn = fn === 'sin' ? Math.PI / 2 : 0;
    const extreme = Math.round((a.value - turn) / Math.PI) * Math.PI + turn;
    return [...ends(a), ...(extreme > a.low && extreme < a.high ? [extreme] : [])].map((x) => [x]);
  }
  const zero = fn === 'abs' && a.low < 0 && a.high > 0 ? [[0]] : [];
  if (!b) return [...ends(a).map((x) => [x]), ...zero];
  return ends(a).flatMap((x) => ends(b).map((y) => [x, y]));
}

/** The square of a number, which is not the product of two: it is never negative. */
export function square(x: Bounded, arithmetic: Arithmetic): Bounded {
  const times: Real = (a, b) => a! * b!;
  if (isAnything(x) || isExact(x)) return applyFloat('mul', [x, x], times, arithmetic);
  const size = Math.max(Math.abs(x.low), Math.abs(x.high));
  const least = x.low <= 0 && x.high >= 0 ? 0 : Math.min(Math.abs(x.low), Math.abs(x.high));
  const by = functionError('mul', 1, [], arithmetic);
  return clampToRange('exp', widened(x.value ** 2, least ** 2 * (1 - by), size ** 2 * (1 + by)));
}

/** What no device gets wrong: exponentials and roots are not negative. */
const clampToRange = (fn: ScalarFn, { value, low, high }: Bounded): Bounded =>
  fn === 'exp' || fn === 'sqrt' || fn === 'rsqrt' || fn === 'abs'
    ? { value, low: Math.max(0, low), high }
    : { value, low, high };

function compare(fn: 'less' | 'lessEqual' | 'equal', a: Bounded, b: Bounded, value: number): Bounded {
  if (isExact(a) && isExact(b)) return exact(value);
  const apart = a.high < b.low || b.high < a.low;
  const certain = fn === 'equal' ? apart : apart || (fn === 'lessEqual' ? a.high <= b.low : b.high <= a.low);
  return certain ? exact(value) : { value, low: 0, high: 1 };
}

function select([condition, yes, no]: readonly Bounded[], value: number): Bounded {
  const chosen = condition!.value !== 0 ? yes! : no!;
  const certain = isExact(condition!) || condition!.low > 0 || condition!.high < 0;
  return certain ? chosen : { value, low: Math.min(yes!.low, no!.low), high: Math.max(yes!.high, no!.high) };
}

/** Near a multiple of the divisor the remainder may also be at the other end. */
function modulo(value: number, [, y]: readonly number[], error: number): Bounded {
  const n = Math.abs(y!);
  if (!(error > 0) || Number.isNaN(value)) return exact(value);
  if (Math.abs(value) < error || n - Math.abs(value) < error) return { value, low: -n, high: n };
  return widened(value, value - error, value + error);
}

/** A function of integers: exact, or unknown where an argument is not exact. */
export function applyInteger(fn: ScalarFn, args: readonly Bounded[], evaluate: Real): Bounded {
  const value = evaluate(...args.map((a) => a.value));
  if (fn === 'select') return select(args, value);
  if (args.every(isExact)) return exact(value);
  if (fn === 'less' || fn === 'lessEqual' || fn === 'equal') return compare(fn, args[0]!, args[1]!, value);
  const [a, b] = args as [Bounded, Bounded];
  if (fn === 'and' && isTruth(a) && isTruth(b)) return { value, low: a.low & b.low, high: a.high & b.high };
  if (fn === 'or' && isTruth(a) && isTruth(b)) return { value, low: a.low | b.low, high: a.high | b.high };
  if (fn === 'max' || fn === 'min') return { value, low: Math[fn](a.low, b.low), high: Math[fn](a.high, b.high) };
  return anything(value);
}
const isTruth = ({ low, high }: Bounded): boolean => low >= 0 && high <= 1;

/** Another compute type; `convert` is the conversion of one number. */
export function castTo(dtype: ComputeType, from: ComputeType, x: Bounded, convert: (x: number) => number): Bounded {
  const value = convert(x.value);
  if (isAnything(x)) return anything(value);
  if (from === 'f32' && dtype !== 'f32') return { value, low: convert(x.low), high: convert(x.high) };
  if (from !== 'f32' && dtype !== 'f32') return isExact(x) ? exact(value) : anything(value);
  // i32 → f32: correctly rounded, either way in WGSL.
  const e = Math.fround(value) === value && isExact(x) ? 0 : ulp * Math.abs(value);
  return { value, low: x.low - e, high: x.high + e };
}
