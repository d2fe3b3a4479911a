// Power spectra of real signals whose length need not be a power of two: even lengths are halved (Cooley & Tukey, 1965) until an odd
// one is left, which is summed up as it stands.

/** → a function that writes |X[k]|² for k = 0 … length / 2 of the discrete Fourier transform of `signal`. */
export function powerSpectrum(length: number): (signal: Float64Array, power: Float64Array) => void {
  const cos = Float64Array.from({ length }, (_, i) => Math.cos((2 * Math.PI * i) / length));
  const sin = Float64Array.from({ length }, (_, i) => -Math.sin((2 * Math.PI * i) / length));
  const [re, im] = [new Float64Array(length), new Float64Array(length)];
  const [joinedRe, joinedIm] = [new Float64Array(length), new Float64Array(length)];

  /** Transform `count` elements of the signal, every `step`-th from `from` on, into `re` and `im` from `to` on. */
  const transform = (signal: Float64Array, from: number, step: number, count: number, to: number): void => {
    if (count % 2 === 1) {
      // Of a real signal the second half mirrors the first.
      for (let k = 0; 2 * k <= count; k++) {
        let a = 0;
        let b = 0;
        for (let t = 0, at = 0; t < count; t++) {
          const x = signal[from + t * step]!;
          a += x * cos[at * step]!;
          b += x * sin[at * step]!;
          at += k;
          if (at >= count) at -= count;
        }
        re[to + k] = a;
        im[to + k] = b;
        if (k > 0) {
          re[to + count - k] = a;
          im[to + count - k] = -b;
        }
      }
      return;
    }
    const half = count / 2;
    transform(signal, from, 2 * step, half, to);
    transform(signal, from + step, 2 * step, half, to + half);
    for (let k = 0; k < half; k++) {
      const c = cos[k * step]!;
      const s = sin[k * step]!;
      const oddRe = re[to + half + k]!;
      const oddIm = im[to + half + k]!;
      const turnedRe = oddRe * c - oddIm * s;
      const turnedIm = oddRe * s + oddIm * c;
      joinedRe[k] = re[to + k]! + turnedRe;
      joinedIm[k] = im[to + k]! + turnedIm;
      joinedRe[half + k] = re[to + k]! - turnedRe;
      joinedIm[half + k] = im[to + k]! - turnedIm;
    }
    for (let k = 0; k < count; k++) {
      re[to + k] = joinedRe[k]!;
      im[to + k] = joinedIm[k]!;
    }
  };

  return (signal, power) => {
    transform(signal, 0, 1, length, 0);
    for (let k = 0; k <= length / 2; k++) power[k] = re[k]! ** 2 + im[k]! ** 2;
  };
}
