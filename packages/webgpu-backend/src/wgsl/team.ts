// A team is a number of consecutive invocations of a workgroup that work on one row together: each takes every n-th
// element, then they reduce what they found. A team within one subgroup needs no memory and no barrier; a larger one
// reduces within subgroups first and then through workgroup memory.
import type { Target } from '../step.ts';
import { u32 } from './address.ts';
import type { Shader } from './shader.ts';

export interface Reduction {
  /** The name of the function that is declared: it takes a value and gives every invocation of the team the result. */
  readonly name: string;
  readonly type: string;
  readonly combine: (a: string, b: string) => string;
}

export const sum: Reduction = { name: 'teamSum', type: 'f32', combine: (a, b) => `${a} + ${b}` };
export const max: Reduction = { name: 'teamMax', type: 'f32', combine: (a, b) => `max(${a}, ${b})` };

export interface Team {
  /** Invocations in a team, a power of two. */
  readonly lanes: number;
  /** Invocations in a workgroup. */
  readonly size: number;
  /** Teams in a workgroup. */
  readonly teams: number;
}

/** A team for rows of `length` elements, of which there are `rows`. */
export function teamFor(length: number, rows: number, target: Target): Team {
  const most = target.software ? Math.max(4, target.subgroup) : 256;
  const least = target.subgroup > 1 ? Math.min(target.subgroup, most) : 1;
  const lanes = Math.min(most, Math.max(least, powerOfTwo(Math.ceil(length / 8))));
  const size = Math.max(lanes, target.software ? lanes * Math.min(16, powerOfTwo(Math.ceil(rows / 4))) : 64);
  return { lanes, size, teams: size / lanes };
}

/** The least power of two that is not below n. */
export const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));

/**
 * Declares functions that reduce over a team. Every invocation of the workgroup calls them, in uniform control flow; they
 * take the value and the invocation's `lane`. With `apart`, a power of two, only invocations whose lanes are equal modulo
 * `apart` are taken together.
 */
export function declareReductions(
  shader: Shader,
  { lanes, size }: Team,
  target: Target,
  reductions: readonly Reduction[],
  apart = 1,
): void {
  const inSubgroup = Math.max(apart, Math.min(lanes, target.subgroup));
  const parts = lanes / inSubgroup;
  if (inSubgroup > apart) shader.useSubgroups();
  for (const { name, type, combine } of reductions) {
    const body: string[] = [`fn ${name}(value: ${type}, lane: u32) -> ${type} {`, '  var r = value;'];
    for (let step = inSubgroup / 2; step >= apart; step /= 2)
      body.push(`  r = ${combine('r', `subgroupShuffleXor(r, ${u32(step)})`)};`);
    if (parts > 1) {
      const memory = `${name}Parts`;
      shader.declare(`var<workgroup> ${memory}: array<${type}, ${(size / inSubgroup) * apart}>;`);
      const own = apart === 1 ? '' : ` + lane % ${u32(apart)}`;
      body.push(
        `  let first = (lane / ${u32(lanes)}) * ${u32(parts * apart)}${own};`,
        `  let part = (lane % ${u32(lanes)}) / ${u32(inSubgroup)};`,
        `  if (lane % ${u32(inSubgroup)} < ${u32(apart)}) { ${memory}[first + part * ${u32(apart)}] = r; }`,
        '  workgroupBarrier();',
      );
      if (parts > 16)
        body.push(
          `  for (var half = ${u32(parts / 2)}; half > 8u; half >>= 1u) {`,
          `    if (lane % ${u32(inSubgroup)} < ${u32(apart)} && part < half) {`,
          `      ${memory}[first + part * ${u32(apart)}] = ${combine(`${memory}[first + part * ${u32(apart)}]`, `${memory}[first + (part + half) * ${u32(apart)}]`)};`,
          '    }',
          '    workgroupBarrier();',
          '  }',
        );
      body.push(
        `  r = ${memory}[first];`,
        `  for (var i = 1u; i < ${u32(Math.min(parts, 16))}; i++) { r = ${combine('r', `${memory}[first + i * ${u32(apart)}]`)}; }`,
        '  workgroupBarrier();',
      );
    }
    shader.declare([...body, '  return r;', '}'].join('\n'));
  }
}

/**
 * Statements that find a team's `row` of `rows` and the invocation's `part` of the team. `mine` tells whether the row
 * exists; where it does not, the last row is worked on again so that all teams stay in step.
 */
export function findRow(
  shader: Shader,
  team: Team,
  rows: number,
): { workgroups: readonly [number, number, number]; code: string[] } {
  const { workgroups, code } = shader.grid(Math.ceil(rows / team.teams), 'block');
  const row = team.teams === 1 ? 'block' : `block * ${u32(team.teams)} + lane / ${u32(team.lanes)}`;
  return {
    workgroups,
    code: [
      code,
      `let wanted = ${row};`,
      `let mine = wanted < ${u32(rows)};`,
      `let row = min(wanted, ${u32(rows - 1)});`,
      `let part = lane % ${u32(team.lanes)};`,
    ],
  };
}
