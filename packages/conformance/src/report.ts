// Results gathered: what the command line prints as JSON, and tables for people.
import type { Failed, NotSupported, Passed, Result } from './result.ts';

export interface Report {
  readonly backend: string;
  readonly counts: { pass: number; fail: number; unsupported: number };
  readonly failures: Failed[];
  readonly unsupported: NotSupported[];
}

/** A report to which results are added one by one, and the cases that passed. */
export class Reporter {
  readonly report: Report;
  readonly passed: Passed[] = [];

  constructor(backend: string) {
    this.report = { backend, counts: { pass: 0, fail: 0, unsupported: 0 }, failures: [], unsupported: [] };
  }

  add(result: Result): void {
    this.report.counts[result.outcome]++;
    if (result.outcome === 'pass') this.passed.push(result);
    else if (result.outcome === 'fail') this.report.failures.push(result);
    else this.report.unsupported.push(result);
  }

  /** One row an operation, in the order in which they came. */
  byOperation(): OperationCounts[] {
    const rows = new Map<string, OperationCounts>();
    const rowOf = (op: string): OperationCounts => {
      const row = rows.get(op) ?? { op, pass: 0, fail: 0, unsupported: 0, closeness: 0 };
      rows.set(op, row);
      return row;
    };
    for (const { op, closeness = 0 } of this.passed) {
      const row = rowOf(op);
      row.pass++;
      row.closeness = Math.max(row.closeness, closeness);
    }
    for (const { op } of this.report.failures) rowOf(op).fail++;
    for (const { op } of this.report.unsupported) rowOf(op).unsupported++;
    return [...rows.values()];
  }
}

export interface OperationCounts {
  readonly op: string;
  pass: number;
  fail: number;
  unsupported: number;
  /** The largest distance from an exact value, as a part of its bound. */
  closeness: number;
}

/** What backends do by kernels of their own, in Markdown: a table with a row an operation, and why where they do not. */
export function supportTable(reporters: readonly Reporter[]): string {
  const ops = [...new Set(reporters.flatMap((r) => r.byOperation().map((row) => row.op)))];
  const cases = (op: string): number => Math.max(...reporters.map((r) => ofOperation(r, op).length));
  const rows = ops.map((op) => [
    `\`${op}\``,
    String(cases(op)),
    ...reporters.map((r) => describeSupport(ofOperation(r, op))),
  ]);
  const head = ['operation', 'cases', ...reporters.map((r) => r.report.backend)];
  const ruler = head.map((_, i) => (i === 1 ? '---:' : '---'));
  const table = [head, ruler, ...rows].map((row) => `| ${row.join(' | ')} |`);
  return [...table, '', ...reporters.flatMap(reasonsOf)].join('\n').trimEnd();
}

const ofOperation = ({ passed, report }: Reporter, op: string): Result[] =>
  [...passed, ...report.failures, ...report.unsupported].filter((r) => r.op === op);

function describeSupport(results: readonly Result[]): string {
  const done = results.flatMap((r) => (r.outcome === 'pass' && r.support ? [r.support] : []));
  const kernels = done.filter((s) => s.by === 'kernel').length;
  const [defined, left] = [done.length - kernels, results.length - done.length];
  const joined = [...new Set(done.flatMap((s) => s.joined))].sort();
  const main =
    kernels === 0 ? 'definition' : ['kernel', joined.join(', ')].filter((part) => part !== '').join(' with ');
  const rest = [kernels > 0 && defined > 0 && `${defined} by definition`, left > 0 && `${left} unsupported`];
  return [main, ...rest.filter((part) => part !== false)].join('; ');
}

/** Why some cases are done by definitions, or not at all; reasons that differ in their numbers alone are one. */
function reasonsOf({ passed, report }: Reporter): string[] {
  const counts = new Map<string, number>();
  const note = (text: string): void => {
    const reason = text.replace(/\b\d+\b/g, 'n');
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  };
  for (const { op, support } of passed)
    if (support?.by === 'definition')
      note(support.reason === 'no kernel' ? 'by definition: no kernel' : `\`${op}\` by definition: ${support.reason}`);
  for (const { outcome, reason } of [...report.failures, ...report.unsupported]) note(`${outcome}: ${reason}`);
  return [...counts].map(([reason, n]) => `- ${report.backend}, ${n} ${n === 1 ? 'case' : 'cases'} ${reason}`);
}
