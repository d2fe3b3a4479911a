// docs/support.md is generated; this sees that it was generated since the case table changed.
import { readFileSync } from 'node:fs';
import { casesFor } from '@transept/conformance';
import { expect, test } from 'vitest';

test('docs/support.md counts the cases there are', () => {
  const text = readFileSync(new URL('../../docs/support.md', import.meta.url), 'utf8');
  const written = Object.fromEntries(
    [...text.matchAll(/^\| `(\w+)` +\| +(\d+) \|/gm)].map(([, op, n]) => [op, Number(n)]),
  );
  const counts: Record<string, number> = {};
  for (const { op } of casesFor({ mode: 'support' })) counts[op] = (counts[op] ?? 0) + 1;
  expect(written, 'make it again: transept conformance --backend reference,cpu,webgpu --mode support').toEqual(counts);
});
