// The suite as a command: counts, JSON, exit codes, and what it says of a backend that is wrong.
import { reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import type { BackendFactory } from '../backends.ts';
import { run } from '../testing/terminal.ts';

/** Its matmul does nothing. */
const careless: BackendFactory = () => reference({ kernels: { matmul: { prepare: () => () => () => {} } } }) as Backend;
const backends = { reference: () => reference() as Backend, careless };

interface Report {
  readonly backend: string;
  readonly counts: { readonly pass: number; readonly fail: number; readonly unsupported: number };
  readonly failures: readonly {
    readonly op: string;
    readonly culprit?: string;
    readonly wrong?: { readonly symptom: string; readonly received: number | string };
  }[];
  readonly unsupported: readonly unknown[];
}

describe('transept conformance', () => {
  it('counts what passed, by operation', async () => {
    const { code, stdout, stderr } = await run(
      ['conformance', '--backend', 'reference', '--only', 'rope/', 'argmax/['],
      {
        backends,
      },
    );
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^rope +\d+ +0 +0 /m);
    expect(stdout).toMatch(/reference: \d+ passed, 0 failed, 0 unsupported/);
  });

  it('prints exactly one JSON object', async () => {
    const { code, stdout } = await run(['conformance', '--backend', 'reference', '--only', 'copy/size', '--json'], {
      backends,
    });
    const report = JSON.parse(stdout) as Report;
    expect(Object.keys(report)).toEqual(['backend', 'counts', 'failures', 'unsupported']);
    expect(report).toMatchObject({ backend: 'reference', failures: [], unsupported: [] });
    expect(report.counts.pass).toBeGreaterThan(5);
    expect(code).toBe(0);
  });

  it('exits with 1 where something is wrong, and says what', async () => {
    const only = ['--only', 'matmul/2x3x4', 'attention/causal', 'copy/size 1'];
    const { code, stdout } = await run(['conformance', '--backend', 'careless', ...only, '--json'], { backends });
    const { counts, failures } = JSON.parse(stdout) as Report;
    expect(code).toBe(1);
    expect(counts.pass).toBe(2); // copies of 1 and 1023 elements
    expect(failures.length).toBe(counts.fail);
    expect(new Set(failures.map((f) => f.op))).toEqual(new Set(['matmul', 'attention']));
    for (const f of failures) expect(f).toMatchObject({ culprit: 'matmul', wrong: {} });
    expect(failures[0]!.wrong).toMatchObject({ symptom: 'unwritten', received: 'NaN' });
    const people = await run(['conformance', '--backend', 'careless', ...only], { backends });
    expect(people.stderr).toMatch(
      /^FAIL matmul\/2x3x4: y\[0, 0\] is NaN, expected .* nothing was written \(seed 1\)$/m,
    );
    expect(people.stderr).toMatch(/^FAIL attention\/causal: .*; to blame: matmul \(seed 1\)$/m);
  });

  it('prints support as Markdown', async () => {
    const { stdout } = await run(
      ['conformance', '--backend', 'reference,careless', '--mode', 'support', '--only', 'softmax/all equal'],
      { backends },
    );
    expect(stdout).toContain('| operation | cases | reference | careless |');
    expect(stdout).toContain('| `softmax` | 1 | definition | definition |');
  });

  it('takes several backends for support alone', async () => {
    const { code, stderr } = await run(['conformance', '--backend', 'reference,careless'], { backends });
    expect(code).toBe(2);
    expect(stderr).toContain('only support takes several');
  });

  it('prints what catches each fault', async () => {
    const { code, stdout } = await run(['conformance', '--faults', '--only', 'argmax/one too far'], { backends });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^argmax: one too far: caught by argmax\//m);
    expect(stdout).toContain('1 of 1 faults caught, 1 blamed on the right operation');
  });

  it('names what there is in place of an unknown mode', async () => {
    const { code, stderr } = await run(['conformance', '--mode', 'fast'], { backends });
    expect(code).toBe(2);
    expect(stderr).toMatch(/Allowed choices are test, gradient, speed, support/);
  });
});
