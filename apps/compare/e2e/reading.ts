// What a page shows, as its readers find it: by roles and names.
import type { Locator, Page } from 'playwright-core';

/** The head of a backend's column. */
export const card = (page: Page, backend: string): Locator => page.getByRole('article', { name: backend, exact: true });

/** A backend's translations, from the first sentence to the last. */
export const translationsOf = (page: Page, backend: string): Promise<string[]> =>
  page.locator(`td[data-backend="${backend}"] [lang=en]`).allInnerTexts();

/** The verdict on two backends. */
export const verdict = (page: Page, a: string, b: string): Locator =>
  page.getByRole('article', { name: `${a} and ${b}`, exact: true });

export const heatMap = (page: Page): Locator => page.getByRole('grid');

/** Waits until everything that begins by itself has happened: loading, translating, comparing, attention. */
export const settled = (page: Page): Promise<void> => heatMap(page).waitFor({ timeout: 60_000 });
