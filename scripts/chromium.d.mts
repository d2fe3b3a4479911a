/** What it takes to start a browser: `env` is added to the environment, `args` are its flags. */
export interface Chromium {
  executablePath: string;
  env: Record<string, string>;
  args: string[];
}

/** A Chromium with WebGPU, or undefined where there is none and none can be unpacked. */
export function findChromium(): Promise<Chromium | undefined>;
