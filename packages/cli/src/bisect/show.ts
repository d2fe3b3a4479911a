// A bisection for people: what differs, where it is in the model, and by how much.
import type { OperationReport } from '@transept/conformance';
import { table } from '../draw/table.ts';

const shapeOf = ({ dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] }): string =>
  `${dtype} [${shape.join(', ')}]`;
const digits = (x: number): string =>
  Number.isInteger(x) && Math.abs(x) < 1e9 ? `${x}` : `${Number(x.toPrecision(8))}`;

/** One operation that differs, in lines. `names` are the backends whose values are shown. */
export function showDifference(report: OperationReport, names: readonly string[], width: number): string[] {
  const { number, operations, op, label, inputs, parameters, expression, beyond, of, worst, wrong } = report;
  const worstTable = table(
    worst.map(({ index, values, exact, difference, bound }) => [
      `[${index.join(', ')}]`,
      ...values.map(digits),
      digits(exact),
      difference.toExponential(1),
      bound.toExponential(1),
    ]),
    {
      head: ['element', ...names, 'exact', 'difference', 'bound'],
      width,
      align: ['left', ...names.map(() => 'right' as const), 'right', 'right', 'right'],
    },
  );
  return [
    `operation ${number} of ${operations}: ${op} in ${label}`,
    `  ${shapeOf(report)} from ${inputs.map(shapeOf).join(', ') || 'nothing'}`,
    ...(parameters.length > 0 ? [`  parameters: ${parameters.join(', ')}`] : []),
    ...(expression === undefined
      ? []
      : [`  computes ${expression.length > 100 ? `${expression.slice(0, 100)} …` : expression}`]),
    `  ${beyond} of ${of} elements ${names.length > 1 ? 'are further apart than their bound' : 'are further off than their bound'}; ${verdict(wrong, names)}`,
    '',
    ...worstTable.map((line) => `  ${line}`),
  ];
}

function verdict(wrong: readonly number[], names: readonly string[]): string {
  const who = wrong.map((k) => names[k]!);
  return who.length === 0 ? 'neither is wrong by itself' : `wrong: ${who.join(' and ')}`;
}
