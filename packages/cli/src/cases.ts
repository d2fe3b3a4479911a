// The JSON that `forward` and `generate` read: one case, or a list of them that share one load. Names are those of
// transformers.
import type { NumberArray } from '@transept/generate';
import { CommandError } from './errors.ts';
import { nameOf, readJsonFile } from './files.ts';
import type { Terminal } from './terminal.ts';

export type Case = Readonly<Record<string, unknown>>;

export interface Cases {
  readonly cases: readonly Case[];
  /** Was it a list? Then results carry the number of their case. */
  readonly listed: boolean;
}

export async function readCases(path: string, terminal: Terminal): Promise<Cases> {
  const json = await readJsonFile(path, terminal);
  const listed = Array.isArray(json);
  const cases: unknown[] = listed ? json : [json];
  const wrong = cases.findIndex((value) => typeof value !== 'object' || value === null || Array.isArray(value));
  if (wrong >= 0)
    throw new CommandError(
      `input: ${nameOf(path)}${listed ? ` has a case ${wrong} that` : ''} is ${JSON.stringify(cases[wrong])?.slice(0, 60)}; expected an object such as {"input_ids": [[1, 2]]}`,
    );
  if (cases.length === 0) throw new CommandError(`input: ${nameOf(path)} is an empty list; expected at least one case`);
  return { cases: cases as Case[], listed };
}

/** Rows of numbers under a name of a case; undefined where it has none. */
export function rowsOf(from: Case, name: string, command: string): number[][] | undefined {
  const value = from[name];
  if (value === undefined || value === null) return undefined;
  const isRow = (row: unknown): row is number[] => Array.isArray(row) && row.every((x) => typeof x === 'number');
  if (Array.isArray(value) && value.every(isRow)) return value;
  throw new CommandError(
    `${command}: ${name} is ${JSON.stringify(value).slice(0, 60)}; expected rows of numbers, such as [[1, 2], [3, 4]]`,
  );
}

/** Rows of 0 and 1. */
export function maskOf(from: Case, name: string, command: string): number[][] | undefined {
  const rows = rowsOf(from, name, command);
  const wrong = rows?.flat().find((x) => x !== 0 && x !== 1);
  if (wrong === undefined) return rows;
  throw new CommandError(`${command}: ${name} has ${wrong}; expected 1 where a token counts and 0 where it is padding`);
}

/** Numbers nested to any depth, every list of a depth of one length. */
export function arrayOf(from: Case, name: string, command: string): NumberArray | undefined {
  const value = from[name];
  if (value === undefined || value === null) return undefined;
  const shape: number[] = [];
  for (let at: unknown = value; Array.isArray(at); at = at[0]) shape.push(at.length);
  const data: number[] = [];
  const collect = (at: unknown, depth: number): boolean =>
    depth === shape.length
      ? typeof at === 'number' && data.push(at) > 0
      : Array.isArray(at) && at.length === shape[depth] && at.every((inner) => collect(inner, depth + 1));
  if (shape.length > 0 && collect(value, 0)) return { shape, data };
  throw new CommandError(
    `${command}: ${name} is ${JSON.stringify(value).slice(0, 60)}; expected numbers in nested lists of equal lengths`,
  );
}
