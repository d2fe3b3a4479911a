// One Chromium for all tests of a file, a fresh context for each page, and no error on the console that goes unnoticed.
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import { findChromium } from 'transept-scripts/chromium.mjs';

let browser: Browser | undefined;

export interface OpenOptions {
  /** Runs in the page's workers before anything else of them. */
  readonly inWorkers?: string;
}

/** Open a page. Skips the test, with the reason, where there is no Chromium. */
export async function openPage(
  address: string,
  skip: (note: string) => never,
  { inWorkers }: OpenOptions = {},
): Promise<Opened> {
  const found = await findChromium();
  if (!found) return skip('there is no Chromium on this machine');
  browser ??= await chromium.launch({ ...found, env: { ...process.env, ...found.env } });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  if (inWorkers !== undefined)
    await context.route(/\/worker-[\w-]+\.js$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${inWorkers}\n${await response.text()}` });
    });
  const opened = new Opened(context, await context.newPage());
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
  readonly #errors: string[] = [];

  constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.#errors.push(message.text());
    });
    page.on('pageerror', (error) => this.#errors.push(error.stack ?? error.message));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    expect(this.#errors, 'nothing went wrong on the console').toEqual([]);
  }
}
