// The page as people get it from `npm start`, in a real headless Chromium: on every backend it translates what PyTorch
// translates, shows how far the backends agree, draws the attention, says what is missing where something is, and outlives the
// browser's GPU process.
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { servePage } from '../server.ts';
import type { PageServer } from '../server.ts';
import { closeBrowser, openPage } from './browser.ts';
import type { Opened } from './browser.ts';
import { card, heatMap, settled, translationsOf, verdict } from './reading.ts';
import { built, start } from './start.ts';
import type { Started } from './start.ts';
import { tinyGguf } from './tiny-gguf.ts';

interface Golden {
  readonly index: number;
  readonly source: string;
  readonly input_ids: readonly number[];
  readonly greedy: readonly number[];
  readonly greedy_text: string;
}

const root = join(import.meta.dirname, '..', '..', '..');
const { rows } = JSON.parse(readFileSync(join(root, 'fixtures/marian-de-en/golden-text.json'), 'utf8')) as {
  rows: Golden[];
};
/** Sentences with what transformers makes of them: some of several lengths, and a few short ones for the reference backend. */
const pick = (...wanted: number[]): Golden[] => wanted.map((w) => rows.find(({ index }) => index === w)!);
const goldens = pick(0, 5, 40, 130, 380);
const short = pick(0, 5, 380);
const textOf = (some: readonly Golden[]): string => some.map(({ source }) => source).join('\n');

let started: Started;
let unisolated: PageServer;

beforeAll(async () => {
  started = await start('--no-open', '--port', '0');
  unisolated = await servePage({ folder: built, port: 0, isolated: false });
});

afterAll(async () => {
  await closeBrowser();
  await unisolated?.[Symbol.asyncDispose]();
  started?.[Symbol.dispose]();
});

const at = (url: string, parameters: Record<string, string>): string => `${url}?${new URLSearchParams(parameters)}`;

/** Both backends translate as transformers does, they agree, and the attention has a cell for every pair of tokens. */
async function expectGolden(page: Page, a: string, b: string, some: readonly Golden[]): Promise<void> {
  const wanted = some.map(({ greedy_text }) => greedy_text);
  expect(await translationsOf(page, a)).toEqual(wanted);
  expect(await translationsOf(page, b)).toEqual(wanted);
  const tokens = some.reduce((n, { greedy }) => n + greedy.length - 1, 0);
  const figures = await verdict(page, a, b).innerText();
  expect(figures).toContain(`${a} and ${b} agree`);
  expect(figures).toContain(`of ${tokens} positions`);
  expect(figures.match(/100 %/g)).toHaveLength(2);
  const { input_ids, greedy } = some[0]!;
  expect(await heatMap(page).locator('[data-row]').count()).toBe(input_ids.length * (greedy.length - 1));
}

describe('backends', () => {
  test('the CPU has threads where the page is cross-origin isolated', async ({ skip }) => {
    const address = at(started.url, { backends: 'cpu,reference', threads: '2', text: textOf(short) });
    await using opened = await openPage(address, skip);
    const { page } = opened;
    await settled(page);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(await card(page, 'CPU').innerText()).toMatch(/WebAssembly, .*SIMD, 2 threads/);
    await expectGolden(page, 'CPU', 'Reference', short);
  });

  test('the CPU has one thread, and says why, where the page is not isolated', async ({ skip }) => {
    const address = at(unisolated.url, { backends: 'cpu,reference', text: textOf(short) });
    await using opened = await openPage(address, skip);
    const { page } = opened;
    await settled(page);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    const shown = await card(page, 'CPU').innerText();
    expect(shown).toMatch(/SIMD, 1 thread\n/);
    expect(shown).toContain('not cross-origin isolated');
    await expectGolden(page, 'CPU', 'Reference', short);
  });

  test('WebGPU agrees with the CPU', async ({ skip }) => {
    await using opened = await openPage(at(started.url, { backends: 'cpu,webgpu', text: textOf(goldens) }), skip);
    const { page } = opened;
    await settled(page);
    await expectGolden(page, 'CPU', 'WebGPU', goldens);
    // What is shown for WebGPU is WebGPU's own.
    await page.getByRole('group', { name: 'Backend', exact: true }).getByText('WebGPU').click();
    expect(await heatMap(page).getAttribute('aria-label')).toContain('WebGPU');
  });
});

describe('what is missing', () => {
  test('without WebGPU its column says why and the CPU goes on', async ({ skip }) => {
    const inWorkers = 'Object.defineProperty(WorkerNavigator.prototype, "gpu", { value: undefined });';
    await using opened = await openPage(at(started.url, { text: textOf(goldens) }), skip, { inWorkers });
    const { page } = opened;
    await settled(page);
    const shown = await card(page, 'WebGPU').innerText();
    expect(shown).toContain('not available');
    expect(shown).toContain('no navigator.gpu here');
    expect(await translationsOf(page, 'CPU')).toEqual(goldens.map(({ greedy_text }) => greedy_text));
    await page.getByText('nothing to compare it with').waitFor();
  });

  test('a truncated model is named, with what is wrong with it', async ({ skip }) => {
    const folder = mkdtempSync(join(tmpdir(), 'truncated-model-'));
    try {
      cpSync(join(root, 'models/marian-de-en'), folder, { recursive: true });
      truncateSync(join(folder, 'model.safetensors'), 1_000_000);
      await using server = await servePage({ folder: built, mounts: { '/cut': folder }, port: 0, isolated: true });
      await using opened = await openPage(at(server.url, { backends: 'cpu', model: 'cut' }), skip);
      const { page } = opened;
      await card(page, 'CPU').getByText('failed').waitFor();
      const reason = await card(page, 'CPU').getByRole('alert').innerText();
      expect(reason).toMatch(/model\.safetensors.*1000000/);
      await card(page, 'CPU').getByRole('button', { name: 'Load again' }).waitFor();
      expect(await page.getByRole('button', { name: 'Translate' }).isDisabled()).toBe(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a GPU process that crashes', () => {
  /** A sentence of 25 tokens, and a short one. */
  const [sentence, next] = pick(130, 0);

  /** In workers a token comes slowly from a GPU, so that there is a midst to crash in; and devices made and given up are counted. */
  const inWorkers = `
const { mapAsync } = GPUBuffer.prototype;
GPUBuffer.prototype.mapAsync = async function (...call) {
  if (this.size <= 16) await new Promise((resolve) => setTimeout(resolve, 25));
  return mapAsync.apply(this, call);
};
globalThis.devices = { made: 0, destroyed: 0 };
const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = function (...call) { devices.made++; return requestDevice.apply(this, call); };
const { destroy } = GPUDevice.prototype;
GPUDevice.prototype.destroy = function () { devices.destroyed++; destroy.call(this); };`;

  const open = (skip: (note: string) => never): Promise<Opened> => {
    const address = at(started.url, { backends: 'cpu,webgpu', threads: '1', text: sentence!.source });
    return openPage(address, skip, { inWorkers, crashing: true });
  };
  const writing = (page: Page): Locator => page.locator('td.webgpu .writing');
  const note = (page: Page): Locator => card(page, 'WebGPU').getByRole('status');

  test('a translation goes on on another device, and so does all that follows', async ({ skip }) => {
    await using opened = await open(skip);
    const { page } = opened;
    await writing(page).getByText(/\w \w/).waitFor();
    expect(await note(page).innerText()).toBe('');
    const before = await writing(page).innerText();
    await opened.crashGpu();
    await note(page).getByText('The device was lost').waitFor();
    expect(sentence!.greedy_text.startsWith(before)).toBe(true);
    expect((await writing(page).innerText()).startsWith(before)).toBe(true);

    await settled(page);
    expect(await note(page).innerText()).toMatch(/^The device was lost and replaced, after \d.* m?s\. /);
    expect(await card(page, 'CPU').getByRole('status').innerText()).toBe('');
    expect(await translationsOf(page, 'WebGPU')).toEqual([sentence!.greedy_text]);
    expect(await verdict(page, 'CPU', 'WebGPU').innerText()).toContain('CPU and WebGPU agree');
    await page.getByRole('group', { name: 'Backend', exact: true }).getByText('WebGPU').click();
    expect(await heatMap(page).getAttribute('aria-label')).toContain('WebGPU');
    // Not the threads of the CPU, which wait and answer nothing.
    const workers = page.workers().filter((worker) => worker.url().includes('/worker-'));
    const counts = await Promise.all(workers.map((worker) => worker.evaluate('globalThis.devices')));
    expect(counts).toContainEqual({ made: 2, destroyed: 1 });
  });

  test('where no other device can be had, the column says so and the CPU goes on', async ({ skip }) => {
    await using opened = await open(skip);
    const { page } = opened;
    await writing(page).getByText(/\w/).waitFor();
    await opened.crashGpu();
    await note(page).getByText('replaced, after').waitFor();
    // Chromium refuses the GPU to a page that lost it twice within two minutes.
    await opened.crashGpu();
    const problem = card(page, 'WebGPU').getByRole('alert');
    await problem.getByText(/could not be replaced; .*: webgpu: no adapter/).waitFor();
    await card(page, 'WebGPU').getByRole('button', { name: 'Load again' }).waitFor();
    expect(await writing(page).count()).toBe(0);
    expect(await page.locator('td.webgpu').innerText()).toMatch(/the device (is|was) lost/);
    expect(await translationsOf(page, 'CPU')).toEqual([sentence!.greedy_text]);

    await page.getByLabel(/German/).fill(next!.source);
    await page.getByRole('button', { name: 'Translate' }).click();
    await page.getByText('nothing to compare it with').waitFor();
    await settled(page);
    expect(await translationsOf(page, 'CPU')).toEqual([next!.greedy_text]);
  });
});

describe('other models', () => {
  const agreeing = async (page: Page): Promise<string> => {
    await page.getByText('CPU and Reference agree').waitFor({ timeout: 30_000 });
    const [ours, ...rest] = await translationsOf(page, 'CPU');
    expect(rest).toEqual([]);
    expect(await translationsOf(page, 'Reference')).toEqual([ours]);
    return ours!;
  };

  test('a GGUF file, by its address and as a file that is chosen, and the files of a folder', async ({ skip }) => {
    const folder = mkdtempSync(join(tmpdir(), 'gguf-model-'));
    try {
      const path = join(folder, 'tiny.gguf');
      writeFileSync(path, tinyGguf());
      await using server = await servePage({ folder: built, mounts: { '/m': folder }, port: 0, isolated: true });
      const settings = { backends: 'cpu,reference', model: 'm/tiny.gguf', text: 'ab cd' };
      await using opened = await openPage(at(server.url, settings), skip);
      const { page } = opened;
      await page.getByText('tiny.gguf; another').waitFor();
      const byAddress = await agreeing(page);
      expect(byAddress).not.toBe('');

      const chooser = page.getByLabel(/^Model/);
      const marian = join(root, 'models/marian-de-en');
      await page.getByLabel(/German/).fill(short[0]!.source);
      await chooser.setInputFiles(
        ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json'].map((name) =>
          join(marian, name),
        ),
      );
      await page.getByText('4 files; another').waitFor();
      expect(await agreeing(page)).toBe(short[0]!.greedy_text);

      await page.getByLabel(/German/).fill(settings.text);
      await chooser.setInputFiles(path);
      await page.getByText('tiny.gguf; another').waitFor();
      expect(await agreeing(page)).toBe(byAddress);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('using the page', () => {
  test('cancelling, typing, translating again, reading attention with the keyboard', async ({ skip }) => {
    await using opened = await openPage(at(started.url, { backends: 'cpu,reference', turns: '' }), skip);
    const { page } = opened;
    const cancel = page.getByRole('button', { name: 'Cancel' });
    // The first sentence is there, so more are on the way.
    await page.locator('td.cpu [lang=en] ~ small').first().waitFor({ timeout: 30_000 });
    await cancel.click();
    await page.getByText('(cancelled)').first().waitFor();
    expect(await cancel.isDisabled()).toBe(true);

    const { source, greedy_text: wanted } = goldens[1]!;
    await page.getByLabel(/German/).fill(`\n  ${source}\n\n`);
    await page.getByLabel(/German/).press('Control+Enter');
    await page.getByText('CPU and Reference agree').waitFor({ timeout: 30_000 });
    expect(await translationsOf(page, 'CPU')).toEqual([wanted]);
    expect(await translationsOf(page, 'Reference')).toEqual([wanted]);

    await settled(page);
    const cells = heatMap(page).locator('[data-row]');
    await cells.first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(/^and from und: /);
    const mean = await cells.first().getAttribute('aria-label');
    await page.getByRole('group', { name: 'Head' }).getByText('3').click();
    expect(await cells.first().getAttribute('aria-label')).not.toBe(mean);
  });
});
