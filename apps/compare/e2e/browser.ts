// One Chromium for all tests of a file but those that harm it, a fresh context for each page, and no error on the console that goes
// unnoticed.
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import { findChromium } from 'transept-scripts/chromium.mjs';

let browser: Browser | undefined;

export interface OpenOptions {
  /** Runs in the page's workers before anything else of them. */
  readonly inWorkers?: string;
  /** The GPU process will be crashed: in a Chromium of its own, whose warnings about that count for nothing. */
  readonly crashing?: boolean;
}

/** Open a page. Skips the test, with the reason, where there is no Chromium. */
export async function openPage(
  address: string,
  skip: (note: string) => never,
  { inWorkers, crashing = false }: OpenOptions = {},
): Promise<Opened> {
  const found = await findChromium();
  if (!found) return skip('there is no Chromium on this machine');
  const launch = (): Promise<Browser> => chromium.launch({ ...found, env: { ...process.env, ...found.env } });
  const own = crashing ? await launch() : undefined;
  const context = await (own ?? (browser ??= await launch())).newContext({ viewport: { width: 1280, height: 900 } });
  if (inWorkers !== undefined)
    await context.route(/\/worker-[\w-]+\.js$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${inWorkers}\n${await response.text()}` });
    });
  const opened = new Opened(context, await context.newPage(), own);
  await opened.page.goto(address);
  return opened;
}

export async function closeBrowser(): Promise<void> {
  await browser?.close();
  browser = undefined;
}

/** A page and what went wrong in it. Leaving it fails the test when anything did. */
export class Opened implements AsyncDisposable {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #own: Browser | undefined;
  readonly #errors: string[] = [];

  constructor(context: BrowserContext, page: Page, own: Browser | undefined) {
    this.#context = context;
    this.#own = own;
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error' || (message.type() === 'warning' && !own)) this.#errors.push(message.text());
    });
    page.on('pageerror', (error) => this.#errors.push(error.stack || String(error)));
  }

  /** End the GPU process as a crash does. The page must have been opened for that. */
  async crashGpu(): Promise<void> {
    const session = await this.#own!.newBrowserCDPSession();
    await session.send('Browser.crashGpuProcess');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    await this.#own?.close();
    expect(this.#errors, 'nothing went wrong on the console').toEqual([]);
  }
}
