// A norm of the rows that a kernel reads: a team finds the mean and the scale of its rows first, and norms elements as it reads
// them; or norms them all at once and keeps them, where the kernel reads them often and memory is cheap.
import type { Prologue } from '@transept/tensor';
import { address } from './address.ts';
import { literal } from './expression.ts';
import type { Shader } from './shader.ts';

/** The rows of a team, at most four, and how its invocations walk them. */
export interface TeamRows {
  readonly count: number;
  readonly length: number;
  /** Elements that are read at a time, from position `k` on: 1 or 4. */
  readonly width: 1 | 4;
  /** What a row has at `k`. */
  raw(row: number): string;
  /** Where an invocation keeps what it norms at `k`, if it does. */
  readonly kept?: ((row: number) => string) | undefined;
  /** A loop over the positions of an invocation. */
  each(...statements: readonly string[]): string[];
}

/** What has to come first, which uses `teamSum` of a vec4, and what a row has at `k` after that. */
export interface NormedRows {
  readonly before: readonly string[];
  at(row: number): string;
}

export function normedRows(shader: Shader, { op, attrs, inputs }: Prologue, rows: TeamRows): NormedRows {
  const { count, length, width, raw, kept, each } = rows;
  const all = (make: (row: number) => string): string[] => Array.from({ length: count }, (_, row) => make(row));
  const [weight, bias] = inputs.map((v) => {
    const at = address(v, [{ axes: 1, at: 'k' }]);
    return width === 4 ? shader.load4(v, at) : shader.load(v, at);
  });
  const total = (x: string): string => (width === 4 ? `dot(${x}, vec4<f32>(1.0))` : x);
  const square = (x: string): string => (width === 4 ? `dot(${x}, ${x})` : `${x} * ${x}`);
  const isCentred = op === 'layerNorm';
  const centred = (row: number): string => (isCentred ? `(${raw(row)} - means[${row}])` : raw(row));
  const normed = (row: number): string => `${centred(row)} * scales[${row}] * ${weight!}${bias ? ` + ${bias}` : ''}`;
  const means = [
    'var means = vec4<f32>();',
    ...each(...all((row) => `means[${row}] += ${total(raw(row))};`)),
    `means = teamSum(means, lane) / ${length}.0;`,
  ];
  const scales = [
    'var scales = vec4<f32>();',
    ...each(
      ...all((row) => `let d${row} = ${centred(row)};`),
      ...all((row) => `scales[${row}] += ${square(`d${row}`)};`),
    ),
    `scales = inverseSqrt(teamSum(scales, lane) / ${length}.0 + ${literal(attrs['eps'] as number, 'f32', shader)});`,
  ];
  const before = [...(isCentred ? means : []), ...scales];
  if (!kept) return { before, at: normed };
  return { before: [...before, ...each(...all((row) => `${kept(row)} = ${normed(row)};`))], at: kept };
}
