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

/** A Markdown table of what backends do by kernels of their own: a row an operation, from results of mode `support`. */
export function supportTable(reporters: readonly Reporter[]): string {
  const ops = [...new Set(reporters.flatMap((r) => r.byOperation().map((row) => row.op)))];
  const cases = (op: string): number => Math.max(...reporters.map((r) => ofOperation(r, op).length));
  const rows = ops.map((op) => [
    `\`${op}\``,
    String(cases(op)),
    ...reporters.map((r) => describeSupport(ofOperation(r, op))),
  ]);
  const head = ['operation', 'cases', ...reporters.map((r) => r.report.backend)];
  return [head, head.map((_, i) => (i === 1 ? '---:' : '---')), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}

const ofOperation = ({ passed, report }: Reporter, op: string): Result[] =>
  [...passed, ...report.failures, ...report.unsupported].filter((r) => r.op === op);

function describeSupport(results: readonly Result[]): string {
  const done = results.flatMap((r) => (r.outcome === 'pass' && r.support ? [r.support] : []));
  const kernels = done.filter((s) => s.by === 'kernel').length;
  const reasons = new Map<string, number>();
  const note = (reason: string): unknown => reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  for (const { by, reason } of done) if (by === 'definition') note(`by its definition: ${reason}`);
  for (const r of results) if (r.outcome !== 'pass') note(`${r.outcome}: ${r.reason}`);
  const main = kernels === 0 ? '' : `kernel${done.some((s) => s.epilogue) ? ' with epilogue' : ''}`;
  return [main, ...[...reasons].map(([reason, n]) => (n === results.length ? reason : `${n} ${reason}`))]
    .filter((part) => part !== '')
    .join('; ');
}
