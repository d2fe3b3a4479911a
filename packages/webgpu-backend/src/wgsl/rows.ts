// What kernels have in common that work on the last axis of their first input, a team of invocations a row.
import { elements } from '@transept/tensor';
import type { Call, Plan } from '@transept/tensor';
import type { Step, Target } from '../step.ts';
import { u32 } from './address.ts';
import { Shader } from './shader.ts';
import { declareReductions, findRow, teamFor } from './team.ts';
import type { Reduction } from './team.ts';

export interface RowsScope {
  readonly shader: Shader;
  readonly length: number;
  /** The element at position `i` of the row. */
  readonly x: string;
  /** A loop in which each invocation of the team has its own positions `i`. */
  each(...statements: readonly string[]): string[];
}

/** One dispatch; `body` makes the statements for a row, in which `row`, `mine`, `part` and `put(value, row, i)` are known. */
export function prepareRows(
  call: Call,
  plan: Plan,
  target: Target,
  reductions: readonly Reduction[],
  body: (scope: RowsScope) => readonly string[],
): Step {
  const { shape } = call.inputs[0]!;
  const lead = shape.length - 1;
  const length = shape[lead]!;
  const rows = elements(shape.slice(0, -1));
  if (rows * length === 0) return [];
  const shader = new Shader(call, plan);
  const team = teamFor(length, rows, target);
  declareReductions(shader, team, target, reductions);
  const { workgroups, code } = findRow(shader, team, rows);
  const x = shader.at(call.inputs[0]!, [
    { axes: lead, at: 'row' },
    { axes: 1, at: 'i' },
  ]);
  const each = (...statements: readonly string[]): string[] => [
    `for (var i = part; i < ${u32(length)}; i += ${u32(team.lanes)}) {`,
    ...statements.map((s) => `  ${s}`),
    '}',
  ];
  const statements = body({ shader, length, x, each });
  return [shader.dispatch(team.size, workgroups, [...code, ...statements])];
}

/** Declares `put(value, row, i)` for outputs as wide as the rows. */
export function putElements(shader: Shader): void {
  shader.declarePut([
    { axes: shader.call.output.shape.length - 1, at: 'row' },
    { axes: 1, at: 'i' },
  ]);
}
