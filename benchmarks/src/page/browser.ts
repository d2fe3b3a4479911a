// The Chromium of the benchmark: one for all runtimes, each in a page of its own. Its profile is a folder, so that scripts, compiled
// code and models are cached from page to page as at home.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { BrowserContext, Page } from 'playwright-core';
import { findChromium } from 'transept-scripts/chromium.mjs';

export interface Browser extends AsyncDisposable {
  readonly version: string;
  /** A page of that address, and what its worker's messages are asked through. */
  open(url: string): Promise<Page>;
}

const flags = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--js-flags=--max-old-space-size=8192',
];

export interface BrowserOptions {
  /** Take the machine's own GPU where Chromium would be told to play one. */
  readonly native?: boolean;
}

export async function startBrowser({ native = false }: BrowserOptions = {}): Promise<Browser> {
  const found = await findChromium();
  if (!found) throw new Error('bench: there is no Chromium on this machine; name one in CHROMIUM');
  const profile = mkdtempSync(join(tmpdir(), 'transept-bench-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: found.executablePath,
    args: [...found.args, ...flags].filter((flag) => !native || !flag.startsWith('--use-webgpu-adapter')),
    env: { ...process.env, ...found.env } as Record<string, string>,
    headless: true,
  });
  return {
    version: `Chromium ${context.browser()?.version() ?? ''}`.trim(),
    async open(url) {
      const page = await context.newPage();
      page.on('pageerror', (error) => console.error(`page: ${error.message}`));
      await page.goto(url);
      return page;
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
