// The page that shows how to add a model shows the code as it is.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** Code without its indentation, which is another on a page. */
const flush = (code: string): string => code.replace(/^ +/gm, '');

it('docs/adding-a-model.md shows real code', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'adding-a-model.md'), 'utf8');
  const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => flush(code!));
  const sources = readdirSync(import.meta.dirname).map((name) =>
    flush(readFileSync(join(import.meta.dirname, name), 'utf8')),
  );
  expect(blocks.length).toBe(4);
  for (const block of blocks)
    expect(
      sources.some((source) => source.includes(block)),
      block,
    ).toBe(true);
});
