// Images of another size, bit for bit as Pillow makes them: each filter is widened where the image gets smaller, its weights are
// rounded to 22 bits after the point, and rows and columns are done one after the other, with bytes in between.

/** Rows of pixels, `channels` bytes each. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

export type Resampling = 'nearest' | 'lanczos' | 'bilinear' | 'bicubic' | 'box' | 'hamming';

interface Filter {
  /** How far it reaches to both sides. */
  readonly support: number;
  weight(x: number): number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

const filters: Readonly<Record<Exclude<Resampling, 'nearest'>, Filter>> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weight: (x) => (Math.abs(x) < 1 ? sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x)) : 0),
  },
  bicubic: {
    support: 2,
    weight(x) {
      const [a, d] = [-0.5, Math.abs(x)];
      if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

export function resize(image: Pixels, width: number, height: number, resampling: Resampling): Pixels {
  if (width === image.width && height === image.height) return image;
  if (resampling === 'nearest') return nearest(image, width, height);
  const filter = filters[resampling];
  const widened = (from: Pixels): Pixels => (width === from.width ? from : alongRows(from, width, filter));
  const heightened = (from: Pixels): Pixels =>
    height === from.height ? from : turned(alongRows(turned(from), height, filter));
  // Pillow 13 does first what makes less of the image; before it always did rows first.
  return width > image.width && height < image.height ? widened(heightened(image)) : heightened(widened(image));
}

function nearest({ width: from, height: rows, channels, data }: Pixels, width: number, height: number): Pixels {
  const out = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const source = Math.floor(((y + 0.5) * rows) / height) * from + Math.floor(((x + 0.5) * from) / width);
      for (let c = 0; c < channels; c++) out[(y * width + x) * channels + c] = data[source * channels + c]!;
    }
  return { width, height, channels, data: out };
}

function alongRows({ width: from, height, channels, data }: Pixels, width: number, filter: Filter): Pixels {
  const out = new Uint8Array(width * height * channels);
  const scale = from / width;
  for (let x = 0; x < width; x++) {
    const { first, weights } = weightsAt((x + 0.5) * scale, Math.max(scale, 1), from, filter);
    for (let y = 0; y < height; y++)
      for (let c = 0; c < channels; c++) {
        let sum = half;
        for (let i = 0; i < weights.length; i++) sum += weights[i]! * data[(y * from + first + i) * channels + c]!;
        out[(y * width + x) * channels + c] = Math.min(255, Math.max(0, Math.floor(sum / one)));
      }
  }
  return { width, height, channels, data: out };
}

const one = 2 ** 22;
const half = one / 2;

function weightsAt(
  centre: number,
  scale: number,
  size: number,
  { support, weight }: Filter,
): { first: number; weights: number[] } {
  const first = Math.max(0, Math.trunc(centre - support * scale + 0.5));
  const end = Math.min(size, Math.trunc(centre + support * scale + 0.5));
  const all = Array.from({ length: end - first }, (_, i) => weight((first + i - centre + 0.5) * (1 / scale)));
  const total = all.reduce((a, b) => a + b, 0);
  return { first, weights: all.map((w) => Math.trunc((w / total) * one + (w < 0 ? -0.5 : 0.5))) };
}

/** Rows as columns. */
function turned({ width, height, channels, data }: Pixels): Pixels {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) out[(x * height + y) * channels + c] = data[(y * width + x) * channels + c]!;
  return { width: height, height: width, channels, data: out };
}
