export * from './classify-images.ts';
export { pixelOptions, pixelValues } from './pixel-values.ts';
export type { Image, PixelOptions } from './pixel-values.ts';
export type { Resampling } from './resize.ts';
