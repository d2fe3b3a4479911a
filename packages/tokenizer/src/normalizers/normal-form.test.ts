// Long runs of marks are sorted here, short ones by JavaScript: both must agree on every mark there is.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { normalized } from './normal-form.ts';

const FORMS = ['NFC', 'NFD', 'NFKC', 'NFKD'] as const;
const marks = Array.from({ length: 0x20000 }, (_, point) => String.fromCodePoint(point)).filter((character) =>
  /\p{M}/u.test(character),
);

it('sorts every mark as String.normalize does', () => {
  expect(marks.length).toBeGreaterThan(2000);
  const mark = fc.nat(marks.length - 1).map((i) => marks[i]!);
  const run = fc.array(mark, { minLength: 64, maxLength: 120 });
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 3 }), run, fc.constantFrom(...FORMS), (start, run, form) => {
      const text = `${start.toWellFormed()}e${run.join('')}x`;
      expect(normalized(text, form)).toBe(text.normalize(form));
    }),
    { numRuns: 60 },
  );
});
