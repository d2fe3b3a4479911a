// Half precision (IEEE 754 binary16) to single and back.

let table: Float32Array | undefined;

/** The 65,536 values of f16 as f32, by their bits. Built on first use (256 kB). */
export function halfTable(): Float32Array {
  if (table) return table;
  table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const size =
      exponent === 31
        ? fraction
          ? NaN
          : Infinity
        : exponent === 0
          ? fraction * 2 ** -24
          : (1024 + fraction) * 2 ** (exponent - 25);
    table[bits] = bits & 0x8000 ? -size : size;
  }
  return table;
}

const double = new Float64Array(1);
const doubleBits = new Uint32Array(double.buffer);

/** The bits of the nearest f16, ties to even; beyond ±65520 infinity. Rounds once, from the double. */
export function f16Bits(value: number): number {
  double[0] = value;
  const sign = (doubleBits[1]! >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (size !== size) return sign | 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  // Adding 1.5·2^k makes the unit of the last place that of the f16 near `size`, so the addition itself rounds to even.
  const exponent = Math.max(((doubleBits[1]! >>> 20) & 0x7ff) - 1023, -14);
  const unit = 2 ** (exponent - 10);
  const magic = unit * 2 ** 52 * 1.5;
  const steps = (size + magic - magic) / unit;
  // Below 2^-14 the steps are the bits; above, steps run from 1024 to 2048 and carry into the exponent by themselves.
  return sign | (steps + (exponent + 14) * 1024);
}
