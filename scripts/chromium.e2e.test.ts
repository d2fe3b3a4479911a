// The browser that page tests use has WebGPU, and threads when the server sends the isolation headers.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { findChromium } from './chromium.mjs';

test('Chromium finds an adapter in a cross-origin isolated page', async (context) => {
  const found = await findChromium();
  if (!found) return context.skip('no Chromium on this machine');
  const server = createServer((_, response) => {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>probe</title><p>Hello</p>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { executablePath, args, env } = found;
  const browser = await chromium.launch({ executablePath, args, env: { ...process.env, ...env } });
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    const facts = await page.evaluate(async () => {
      const { gpu } = navigator as unknown as { gpu?: { requestAdapter(): Promise<object | null> } };
      const paragraph = document.querySelector('p');
      return {
        isolated: crossOriginIsolated,
        adapter: (await gpu?.requestAdapter()) instanceof Object,
        textHeight: paragraph?.getBoundingClientRect().height ?? 0,
      };
    });
    expect(facts).toMatchObject({ isolated: true, adapter: true });
    expect(facts.textHeight, 'there is a font to draw with').toBeGreaterThan(10);
  } finally {
    await browser.close();
    server.close();
  }
});
