// Images as a vision model takes them: of its size, scaled and normalised, channel by channel. Keys and defaults as in
// ViTImageProcessor of transformers.
import { InputError } from '@transept/generate';
import type { ConfigReader } from '@transept/models';
import { resize } from './resize.ts';
import type { Pixels, Resampling } from './resize.ts';

/** Rows of pixels from the top left on: 1 byte (grey), 3 (red, green, blue) or 4 (and alpha, which is left out) each. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

export interface PixelOptions {
  /** What the image becomes; undefined: it stays. */
  readonly size: readonly [height: number, width: number] | undefined;
  readonly resampling: Resampling;
  /** Factor on the bytes. */
  readonly scale: number;
  /** What is taken off each channel and what it is then divided by. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** As Pillow numbers them. */
const resamplings: readonly Resampling[] = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'];

/** Throws a ConfigError for what is not supported. `shape` is what the model takes: [channels, height, width]. */
export function pixelOptions(config: ConfigReader, shape: readonly [number, number, number]): PixelOptions {
  for (const key of ['do_center_crop', 'do_pad', 'do_reduce_labels', 'do_convert_grayscale', 'crop_pct'])
    if (config.has(key)) config.only(key, false);
  const [channels, height, width] = shape;
  const each = (key: string, fallback: number): readonly number[] => {
    const values = config.isList(key)
      ? config.numbers(key)
      : new Array<number>(channels).fill(config.number(key, fallback));
    if (values.length !== channels) config.fail(key, `it has ${values.length} numbers`, `${channels}, one a channel`);
    return values;
  };
  const normalizes = config.flag('do_normalize', true);
  const method = config.number(config.first('resample', 'resampling'), 2);
  return {
    size: config.flag('do_resize', true) ? sizeOf(config, [height, width]) : undefined,
    resampling: resamplings[method] ?? config.fail('resample', `${method} is none`, `0 to ${resamplings.length - 1}`),
    scale: config.flag('do_rescale', true) ? config.number('rescale_factor', 1 / 255) : 1,
    mean: normalizes ? each('image_mean', 0.5) : new Array<number>(channels).fill(0),
    deviation: normalizes ? each('image_std', 0.5) : new Array<number>(channels).fill(1),
  };
}

function sizeOf(config: ConfigReader, fallback: readonly [number, number]): readonly [number, number] {
  if (!config.has('size')) return fallback;
  if (!config.isObject('size')) return [config.size('size'), config.size('size')];
  const size = config.inner('size')!;
  if (!size.has('height') || !size.has('width'))
    config.fail('size', `it has ${size.keys.join(', ')}`, 'height and width');
  return [size.size('height'), size.size('width')];
}

/** [channels, height, width] of an image. */
export function pixelValues(
  image: Image,
  options: PixelOptions,
): { shape: [number, number, number]; data: Float32Array } {
  const channels = options.mean.length;
  const pixels = withChannels(image, channels);
  const { size: [rows, columns] = [image.height, image.width], scale, mean, deviation } = options;
  const { data: bytes, width, height } = resize(pixels, columns, rows, options.resampling);
  const data = new Float32Array(bytes.length);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < width * height; i++)
      data[c * width * height + i] = (bytes[i * channels + c]! * scale - mean[c]!) / deviation[c]!;
  return { shape: [channels, height, width], data };
}

/** Grey ones get three equal channels, and alpha is left out. */
function withChannels({ width, height, data }: Image, channels: number): Pixels {
  const count = width * height;
  const has = data.length / count;
  if (!(count > 0) || ![1, 3, 4].includes(has) || (channels === 1 && has !== 1))
    throw new InputError(
      `image: ${width} × ${height} pixels with ${data.length} bytes; expected ${channels === 1 ? '1 byte' : '1, 3 or 4 bytes'} a pixel`,
    );
  if (has === channels) return { width, height, channels, data };
  const out = new Uint8Array(count * channels);
  for (let i = 0; i < count; i++)
    for (let c = 0; c < channels; c++) out[i * channels + c] = data[i * has + (has === 1 ? 0 : c)]!;
  return { width, height, channels, data: out };
}
