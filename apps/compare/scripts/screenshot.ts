// Writes docs/compare.png: the page after it has translated its sentences. Options: --out FILE --dark --width N --query STRING
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { findChromium } from 'transept-scripts/chromium.mjs';
import { build } from 'vite';
import { servePage } from '../server.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(import.meta.dirname, '..', '..', '..', 'docs', 'compare.png') },
    dark: { type: 'boolean', default: false },
    width: { type: 'string', default: '1280' },
    query: { type: 'string', default: '?turns' },
  },
});

const found = await findChromium();
if (!found) throw new Error('screenshot: there is no Chromium on this machine; name one in the variable CHROMIUM');
const app = join(import.meta.dirname, '..');
await build({ configFile: join(app, 'vite.config.ts'), logLevel: 'warn' });
await using server = await servePage({ folder: join(app, 'dist'), port: 0, isolated: true });
const browser = await chromium.launch({ ...found, env: { ...process.env, ...found.env } });
try {
  const page = await browser.newPage({
    viewport: { width: Number(values.width), height: 800 },
    deviceScaleFactor: 1.5,
    colorScheme: values.dark ? 'dark' : 'light',
  });
  page.on('console', (message) => process.stderr.write(`${message.type()}: ${message.text()}\n`));
  page.on('pageerror', (error) => process.stderr.write(`${error.stack}\n`));
  await page.goto(server.url + values.query);
  await page.locator('.heat-map').waitFor({ timeout: 120_000 });
  await page.screenshot({ path: values.out, fullPage: true });
} finally {
  await browser.close();
}
