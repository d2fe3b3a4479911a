// WGSL functions for what the language leaves too vague: accuracy near zero, large arguments, negative bases, infinities.

/** Every function by name. Names of built-ins get an underscore, as in `tanh_`. */
const library = {
  // A plain bitcast of a constant infinity or NaN is an error; of a variable it is not.
  fromBits: `fn fromBits(bits: u32) -> f32 { var b = bits; return bitcast<f32>(b); }`,

  // x − y·trunc(x/y), corrected where the division rounded across a whole number.
  remainder: `fn remainder(x: f32, y: f32) -> f32 {
  let n = abs(y);
  var r = fma(-trunc(abs(x) / n), n, abs(x));
  if (r < 0.0) { r += n; }
  if (r >= n) { r -= n; }
  return select(r, -r, x < 0.0);
}`,

  // Negative bases are defined for whole exponents only.
  pow: `fn pow_(x: f32, y: f32) -> f32 {
  if (y == 0.0) { return 1.0; }
  if (x == 0.0) { return select(1.0 / x, 0.0, y > 0.0); }
  let size = exp2(y * log2(abs(x)));
  let odd = abs(y) - 2.0 * floor(abs(y) * 0.5) == 1.0;
  return select(size, -size, x < 0.0 && odd);
}`,

  // Reduced to [−π/4, π/4] with π/2 in three parts, then the polynomials of Cephes (sinf.c).
  wave: `fn wave(x: f32, shift: i32) -> f32 {
  let turns = round(x * 0.63661977);
  let r = ((x - turns * 1.5703125) - turns * 4.83751296997e-4) - turns * 7.54978995489188e-8;
  let z = r * r;
  let s = r + r * z * (((-1.9515295891e-4 * z + 8.3321608736e-3) * z) - 1.6666654611e-1);
  let c = 1.0 - 0.5 * z + z * z * ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2);
  let quadrant = i32(turns) + shift;
  let value = select(s, c, (quadrant & 1) != 0);
  return select(value, -value, (quadrant & 2) != 0);
}`,
  sin: `fn sin_(x: f32) -> f32 { return wave(x, 0); }`,
  cos: `fn cos_(x: f32) -> f32 { return wave(x, 1); }`,

  // Cephes (tanhf.c); the exponential never overflows because tanh is ±1 from 9.02 on.
  tanh: `fn tanh_(x: f32) -> f32 {
  let size = min(abs(x), 10.0);
  let z = x * x;
  let small = x + x * z * ((((-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2) * z + 1.33314422036e-1) * z - 3.33332819422e-1);
  let large = 1.0 - 2.0 / (exp(2.0 * size) + 1.0);
  return select(select(large, -large, x < 0.0), small, size < 0.625);
}`,

  // A rational function in x² on [−4, 4], where erf is ±1 to the last bit outside; the coefficients are Eigen's.
  erf: `fn erf_(value: f32) -> f32 {
  let x = clamp(value, -4.0, 4.0);
  let z = x * x;
  var p = z * -2.72614225801306e-10 + 2.77068142495902e-08;
  p = z * p + -2.10102402082508e-06;
  p = z * p + -5.69250639462346e-05;
  p = z * p + -7.34990630326855e-04;
  p = z * p + -2.95459980854025e-03;
  p = z * p + -1.60960333262415e-02;
  var q = z * -1.45660718464996e-05 + -2.13374055278905e-04;
  q = z * q + -1.68282697438203e-03;
  q = z * q + -7.37332916720468e-03;
  q = z * q + -1.42647390514189e-02;
  return x * p / q;
}`,
} as const satisfies Record<string, string>;

export type LibraryFn = keyof typeof library;

const needs: Partial<Record<LibraryFn, LibraryFn>> = { sin: 'wave', cos: 'wave' };
const builtIns: ReadonlySet<LibraryFn> = new Set<LibraryFn>(['pow', 'sin', 'cos', 'tanh', 'erf']);

/** The name of a function in shaders. */
export const libraryName = (fn: LibraryFn): string => (builtIns.has(fn) ? `${fn}_` : fn);

/** The declarations of some functions and what they call. */
export function libraryCode(used: ReadonlySet<LibraryFn>): string[] {
  const all = new Set(used);
  for (const fn of used) {
    const other = needs[fn];
    if (other) all.add(other);
  }
  return [...all].map((fn) => library[fn]);
}
