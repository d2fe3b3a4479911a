// Model folders for tests: a copy of the default model, with one thing wrong.
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { defaultModel } from '../places.ts';

/** An empty folder for as long as a test runs. */
export function emptyFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'transept-cli-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const modelFiles = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json'];

export function copyModel(): string {
  const folder = emptyFolder();
  for (const name of modelFiles) cpSync(join(defaultModel, name), join(folder, name));
  return folder;
}

export function editJson(folder: string, name: string, change: (json: Record<string, unknown>) => void): void {
  const file = join(folder, name);
  const json = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(json);
  writeFileSync(file, JSON.stringify(json));
}

export function writeJson(folder: string, name: string, value: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(value));
  return file;
}
