// `transept verify` on a small recorded model, and on recordings that do not fit it.
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VerifyReport } from 'transept';
import { copyModel, editJson, emptyFolder } from '../testing/folders.ts';
import { run } from '../testing/terminal.ts';

const recorded = join(import.meta.dirname, '..', '..', '..', '..', 'fixtures', 'hf', 'olmo2');

/** A copy of the recorded model, with some files changed. */
function changed(name: string, change: (json: Record<string, unknown>) => void): string {
  const folder = emptyFolder();
  for (const file of readdirSync(recorded)) cpSync(join(recorded, file), join(folder, file));
  editJson(folder, name, change);
  return folder;
}

describe('transept verify', () => {
  it('runs every call, and says how far each output is off', async () => {
    const { code, stdout } = await run(['verify', '--model', recorded, '--backend', 'reference', '--json']);
    const report = JSON.parse(stdout) as VerifyReport;
    expect([code, report.ok, report.modelType, report.backend]).toEqual([0, true, 'olmo2', 'reference']);
    const fwd = report.calls.find(({ name }) => name === 'fwd')!;
    expect(fwd.outputs.map(({ name }) => name.replace(/\.\d+$/, ''))).toEqual([
      'logits',
      'hidden_states',
      'attentions',
    ]);
    for (const { verdict, error } of fwd.outputs) {
      expect(verdict).toBe('passed');
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(1e-4);
    }
    const greedy = report.calls.find(({ name }) => name === 'greedy')!;
    expect(greedy.outputs).toContainEqual({ name: 'sequences', verdict: 'passed', error: 0 });
    expect(greedy.outputs.find(({ name }) => name === 'step_scores')).toMatchObject({ verdict: 'passed' });
  });

  it('ends with 1 when the model computes something else, and names what', async () => {
    const model = changed('config.json', (json) => (json.rms_norm_eps = 0.1));
    const { code, stdout } = await run(['verify', '--model', model, '--backend', 'cpu']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/fwd +logits +\d\.\de[+-]\d +failed/);
  });

  it('reads another configuration and a recording from elsewhere', async () => {
    const model = changed('config.json', (json) => (json.rms_norm_eps = 0.1));
    const golden = join(recorded, 'golden.json');
    const args = ['verify', '--model', model, '--golden', golden, '--config', 'config.legacy.json', '--backend', 'cpu'];
    expect((await run(args)).code).toBe(0);
  });

  it('reports kinds of calls that it cannot run', async () => {
    const model = changed('golden.json', (json) => {
      (json.calls as { kind: string }[])[0]!.kind = 'training';
    });
    const { code, stdout } = await run(['verify', '--model', model, '--backend', 'cpu', '--json']);
    const [first] = (JSON.parse(stdout) as VerifyReport).calls;
    expect(code).toBe(0);
    expect(first).toMatchObject({ name: 'fwd', verdict: 'unsupported', outputs: [] });
    expect(first!.reason).toContain('"training"');
  });

  it('says what is wrong with a recording', async () => {
    const { code, stderr } = await run(['verify', '--model', changed('golden.json', (json) => delete json.calls)]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('has no list "calls"')]);
    const none = await run(['verify', '--model', copyModel()]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('golden.json')]);
  });
});
