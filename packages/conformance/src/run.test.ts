// The runner against backends that break: each is reported with its reason, and the run goes on.
import { BackendError, copy, DeviceLostError, reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import type { OpCase } from './case.ts';
import { runConformance } from './run.ts';
import type { ConformanceOptions } from './run.ts';
import type { Failed, Result } from './result.ts';

/** The reference backend with some members replaced. */
const changed = (change: (backend: Backend) => Partial<Backend>): Backend => {
  const backend = reference() as Backend;
  return Object.assign(Object.create(backend) as Backend, change(backend));
};

async function results(backend: Backend, options: ConformanceOptions = {}): Promise<Result[]> {
  const all: Result[] = [];
  for await (const result of runConformance(backend, { only: ['copy/size', 'argmax/['], ...options })) all.push(result);
  return all;
}
const failures = (all: readonly Result[]): Failed[] => all.filter((r) => r.outcome === 'fail');

describe('backends that break', () => {
  it('reports what alloc throws, for every case', async () => {
    const all = await results(
      changed(() => ({
        alloc: () => {
          throw new BackendError('alloc: out of rooms');
        },
      })),
    );
    expect(all.length).toBeGreaterThan(15);
    expect(failures(all).map((f) => f.reason)).toEqual(all.map(() => 'BackendError: alloc: out of rooms'));
  });

  it('reports why load rejects, and goes on with what can be loaded', async () => {
    const all = await results(
      changed((backend) => ({
        load: (plan, bound, options) =>
          plan.calls.some((c) => c.op === 'copy')
            ? Promise.reject(new Error('no copies today'))
            : backend.load(plan, bound, options),
      })),
    );
    for (const r of all) expect(r.outcome).toBe(r.op === 'copy' ? 'fail' : 'pass');
    expect(failures(all)[0]!.reason).toContain('no copies today');
  });

  it('reports a lost device and goes on with a new one', async () => {
    let made = 0;
    const make = (): Backend => {
      made++;
      let loads = 0;
      let lose: (error: Error) => void = () => {};
      const lost = new Promise<Error>((resolve) => (lose = resolve));
      return changed((backend) => ({
        lost,
        load(plan, bound, options) {
          if (++loads < 5) return backend.load(plan, bound, options);
          const error = new DeviceLostError('someone tripped over the cable');
          lose(error);
          return Promise.reject(error);
        },
      }));
    };
    const all = await results(make(), { fresh: make });
    expect(failures(all).length).toBe(Math.floor(all.length / 5));
    expect(failures(all)[0]!.reason).toBe('the device was lost: someone tripped over the cable');
    expect(made).toBe(1 + failures(all).length);
  });

  it('does not wait forever', async () => {
    const backend = changed(() => ({ read: () => new Promise(() => {}) }));
    const all = await results(backend, { only: ['copy/size 1'], timeout: 20 });
    expect(failures(all).map((f) => f.reason)).toEqual(all.map(() => 'Error: no answer within 20 ms'));
  });
});

describe('runConformance', () => {
  it('gives plain data', async () => {
    const all = await results(reference());
    expect(JSON.parse(JSON.stringify(all))).toEqual(all);
    expect(all.every((r) => r.outcome === 'pass')).toBe(true);
  });

  it('runs what was asked for', async () => {
    const all = await results(reference(), { only: ['rope/', 'matmul/1x'] });
    expect(new Set(all.map((r) => r.op))).toEqual(new Set(['rope', 'matmul']));
    expect(all.filter((r) => r.op === 'matmul').every((r) => r.case.startsWith('1x'))).toBe(true);
  });

  it('stops when it is aborted', async () => {
    await expect(results(reference(), { signal: AbortSignal.abort() })).rejects.toThrow();
  });

  it('has a twin give the same bits', async () => {
    const off = changed((backend) => ({
      async read(buffer, offset, bytes) {
        const all = await backend.read(buffer, offset, bytes);
        all[all.length - 65]! ^= 1; // of the last element before the fence
        return all;
      },
    }));
    const all = await results(reference(), { twin: off, only: ['pointwise/size'] });
    expect(failures(all).length).toBe(all.length);
    expect(failures(all)[0]!.reason).toContain('its twin gave different bits');
    expect(failures(await results(reference(), { twin: reference(), only: ['pointwise/size'] }))).toEqual([]);
  });

  it('says that nothing is differentiable yet', async () => {
    const all = await results(reference(), { mode: 'gradient' });
    expect(all.every((r) => r.outcome === 'unsupported' && r.reason === 'operations have no derivatives yet')).toBe(
      true,
    );
  });

  it('measures', async () => {
    const tiny: OpCase = {
      op: 'copy',
      name: 'tiny',
      build: (g) => ({ out: copy(g.input('x', [64])) }),
      forSpeed: true,
    };
    const [result] = await results(reference(), { mode: 'speed', cases: [tiny], only: ['tiny'] });
    expect(result).toMatchObject({ outcome: 'pass', speed: { milliseconds: expect.any(Number) as number } });
    expect((result as { speed: { gbps: number } }).speed.gbps).toBeGreaterThan(0);
  });

  it('tells kernels from definitions', async () => {
    const all = await results(reference(), { mode: 'support', only: ['softmax/[3, 1]', 'copy/size 65'] });
    expect(all).toMatchObject([
      { op: 'copy', support: { by: 'kernel' } },
      { op: 'softmax', support: { by: 'definition', reason: 'no kernel' } },
    ]);
  });
});
