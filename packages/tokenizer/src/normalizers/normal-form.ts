// NFC, NFD, NFKC, NFKD: JavaScript's own, except that sorting a long run of combining marks must not take quadratic time.
import { classes, type ClassOf } from '../characters.ts';
import { unitsAt, type Edit, type Put } from '../text.ts';

type Form = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

export function normalForm(form: Form): Edit {
  return { rewrite: (text, put) => rewrite(form, text, put), plain: (text) => normalized(text, form) };
}

/**
 * Places as in `tokenizers`, whose tables say of every new character how many old ones it uses up: a decomposed character
 * uses its source up with its first part, and a composed one what its parts do. Sorting combining marks never swaps
 * two equal ones, so the n-th of a kind before sorting is the n-th after it.
 */
function rewrite(form: Form, text: string, put: Put): void {
  const decomposition = form.replace('C', 'D');
  const uses = new Map<string, { list: number[]; next: number }>();
  for (const character of text) {
    let use = 1;
    for (const part of character.normalize(decomposition)) {
      const entry = uses.get(part);
      if (entry) entry.list.push(use);
      else uses.set(part, { list: [use], next: 0 });
      use = 0;
    }
  }
  let at = 0;
  for (const character of normalized(text, form)) {
    let used = 0;
    for (const part of character.normalize('NFD')) {
      const entry = uses.get(part)!;
      used += entry.list[entry.next++]!;
    }
    put(character, used > 0 ? at : at - 1);
    for (; used > 0; used--) at += unitsAt(text, at);
  }
}

const LONG_RUN = /\p{M}{64,}/gu;

/** `text.normalize(form)`, in time linear in the text but for the sorting of marks, which takes n log n. */
export function normalized(text: string, form: Form): string {
  if (!hasLongRun(text)) return text.normalize(form);
  const decomposition = form.replace('C', 'D');
  return text.replace(LONG_RUN, (run) => sorted(run, decomposition)).normalize(form);
}

const FIRST_MARK = 0x300;
let isMark: ClassOf | undefined;

function hasLongRun(text: string): boolean {
  isMark ??= classes(/\p{M}/u);
  for (let i = 0, run = 0; i < text.length; i += unitsAt(text, i)) {
    run = text.charCodeAt(i) >= FIRST_MARK && isMark(text, i) ? run + 1 : 0;
    if (run >= 64) return true;
  }
  return false;
}

/** Decomposes a run of marks and puts them into canonical order. */
function sorted(run: string, decomposition: string): string {
  let result = '';
  let marks: string[] = [];
  const release = (): void => {
    for (const mark of marks.sort(byClass)) result += mark;
    marks = [];
  };
  for (const character of run) {
    for (const mark of character.normalize(decomposition)) {
      if (moves(mark)) {
        marks.push(mark);
      } else {
        release();
        result += mark;
      }
    }
  }
  release();
  return result;
}

const known = new Map<string, boolean>();

/** Whether a mark gives way to others: those of the lowest class and one of the most common show it. */
function moves(mark: string): boolean {
  let result = known.get(mark);
  if (result === undefined) {
    result = swaps(mark, '\u0334') || swaps('\u0301', mark);
    known.set(mark, result);
  }
  return result;
}

const orders = new Map<string, number>();

/** By canonical combining class, which JavaScript doesn't tell; but its NFD does it for two at a time. */
function byClass(a: string, b: string): number {
  if (a === b) return 0;
  let order = orders.get(a + b);
  if (order === undefined) {
    order = Number(swaps(a, b)) - Number(swaps(b, a));
    orders.set(a + b, order);
  }
  return order;
}

function swaps(first: string, second: string): boolean {
  return (first + second).normalize('NFD') !== first + second;
}
