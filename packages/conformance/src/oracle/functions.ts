// What every scalar function means, in f64 for f32 and exactly for 32-bit integers. Written apart from the reference backend's
// table, so that the two check each other.
import type { ComputeType, ScalarFn } from '@transept/tensor';

type Fn = (...args: number[]) => number;

const floats: Readonly<Record<ScalarFn, (a: number, b: number, c: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod: (a, b) => a % b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  pow: (a, b) => (Math.abs(a) === 1 && !Number.isFinite(b) ? 1 : a ** b),
  neg: (a) => -a,
  abs: (a) => Math.abs(a),
  sign: (a) => Math.sign(a),
  exp: (a) => Math.exp(a),
  log: (a) => Math.log(a),
  sqrt: (a) => Math.sqrt(a),
  rsqrt: (a) => 1 / Math.sqrt(a),
  sin: (a) => Math.sin(a),
  cos: (a) => Math.cos(a),
  tanh: (a) => Math.tanh(a),
  erf: (a) => erf(a),
  floor: (a) => Math.floor(a),
  ceil: (a) => Math.ceil(a),
  round: (a) => (Math.abs(a % 1) === 0.5 ? 2 * Math.round(a / 2) : Math.round(a)),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  equal: (a, b) => Number(a === b),
  select: (condition, yes, no) => (condition !== 0 ? yes : no),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shiftLeft: (a, b) => a << b,
  shiftRight: (a, b) => a >> b,
};

export const floatFunction = (fn: ScalarFn): Fn => floats[fn] as Fn;

/** On integers, results wrap at 32 bits, and a division by zero gives 0. */
export function integerFunction(fn: ScalarFn, type: Exclude<ComputeType, 'f32'>): Fn {
  const wrap = (x: number): number => (type === 'u32' ? x >>> 0 : x | 0);
  const big = (a: number): bigint => BigInt(Math.trunc(a));
  switch (fn) {
    case 'mul':
      return (a, b) =>
        Number(type === 'u32' ? BigInt.asUintN(32, big(a!) * big(b!)) : BigInt.asIntN(32, big(a!) * big(b!)));
    case 'div':
      return (a, b) => (b === 0 ? 0 : wrap(Number(big(a!) / big(b!))));
    case 'mod':
      return (a, b) => (b === 0 ? 0 : wrap(Number(big(a!) % big(b!))));
    case 'shiftRight':
      return (a, b) => (type === 'u32' ? a! >>> b! : a! >> b!);
    default: {
      const float = floats[fn];
      return (a, b, c) => wrap(float(a!, b!, c!));
    }
  }
}

/** f32 → integer truncates and saturates, and NaN gives 0; integers keep their bits. */
export function conversion(to: ComputeType, from: ComputeType): (x: number) => number {
  if (to === 'f32' || to === from) return (x) => x;
  if (from !== 'f32') return to === 'u32' ? (x) => x >>> 0 : (x) => x | 0;
  const [least, most] = to === 'i32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  return (x) => (Number.isNaN(x) ? 0 : Math.max(least, Math.min(most, Math.trunc(x))));
}

/** The error function: Abramowitz & Stegun 7.1.6 below 3, the continued fraction 7.1.14 above. */
function erf(x: number): number {
  const t = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (t > 7) return Math.sign(x);
  if (t < 3) {
    let sum = t;
    for (let n = 1, term = t; n < 120; n++) {
      term *= (2 * t * t) / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * Math.exp(-t * t) * sum * (2 / Math.sqrt(Math.PI));
  }
  let fraction = 0;
  for (let k = 100; k > 0; k--) fraction = k / 2 / (t + fraction);
  return Math.sign(x) * (1 - Math.exp(-t * t) / Math.sqrt(Math.PI) / (t + fraction));
}
