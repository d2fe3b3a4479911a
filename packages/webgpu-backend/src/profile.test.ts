// Times of dispatches: on the device there is, and how they are shown.
import { reference } from '@transept/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { chromeTrace, formatProfile, profile, showInDevTools, webgpu } from './index.ts';
import { GpuProgram } from './program.ts';
import { onDevice } from './testing/device.ts';
import { MockDevice } from './testing/mock-device.ts';
import { chainPlan } from './testing/plans.ts';

const times = [
  { op: 'matmul', label: 'a', workgroups: 4, start: 0, duration: 30 },
  { op: 'softmax', label: 'b', workgroups: 1, start: 31, duration: 50 },
  { op: 'matmul', label: 'c', workgroups: 4, start: 90, duration: 20 },
];

afterEach(() => {
  vi.restoreAllMocks();
  performance.clearMeasures();
});

describe('profile', () => {
  test('as a table, in the order of what takes time', () => {
    expect(formatProfile(times).split('\n')).toEqual([
      'matmul           2        50.0 µs   50.0 %',
      'softmax          1        50.0 µs   50.0 %',
      'all              3       100.0 µs  100.0 %',
    ]);
    expect(formatProfile([{ ...times[0]!, duration: 0 }])).toContain('0.0 %');
  });

  test('as a trace', () => {
    const { traceEvents } = JSON.parse(chromeTrace(times)) as { traceEvents: unknown[] };
    expect(traceEvents[1]).toEqual({
      name: 'softmax',
      cat: 'gpu',
      ph: 'X',
      ts: 31,
      dur: 50,
      pid: 1,
      tid: 1,
      args: { label: 'b', workgroups: 1 },
    });
  });

  test('as spans of the DevTools, one after the other in a track', () => {
    showInDevTools(times, { track: 'step', at: 5 });
    const spans = performance.getEntriesByType('measure') as PerformanceMeasure[];
    expect(spans.map(({ name, startTime, duration }) => [name, startTime, Number(duration.toFixed(6))])).toEqual([
      ['matmul', 5, 0.03],
      ['softmax', 5.031, 0.05],
      ['matmul', 5.09, 0.02],
    ]);
    expect(spans[1]!.detail).toEqual({
      devtools: {
        dataType: 'track-entry',
        trackGroup: 'Transept',
        track: 'step',
        color: 'error',
        properties: [
          ['label', 'b'],
          ['workgroups', '1'],
        ],
        tooltipText: 'softmax at b',
      },
    });
    showInDevTools(times);
    expect(performance.getEntriesByType('measure').at(-1)!.startTime).toBeLessThanOrEqual(performance.now());
  });

  test('rounded timestamps: means over the runs, in order; such as never differ are refused', async () => {
    using backend = await webgpu({ device: new MockDevice().device });
    const bound = { x: backend.alloc(64), w: backend.alloc(64), y: backend.alloc(64) };
    using program = await backend.load(chainPlan(2), bound);
    const runs = [
      [0n, 100_000n, 100_000n, 100_000n],
      // Set back between the dispatches.
      [200_000n, 200_000n, 100_000n, 200_000n],
    ];
    let run = 0;
    const timed = vi.spyOn(GpuProgram.prototype, 'runTimed');
    timed.mockImplementation(async () => BigInt64Array.from(runs[run++]!));
    const measured = await profile(program, { scalars: [1], runs: 2 });
    expect(measured.map(({ start, duration }) => [start, duration])).toEqual([[0, 50], [50, 50]]); // prettier-ignore
    timed.mockImplementation(async () => new BigInt64Array(4));
    await expect(profile(program, { scalars: [1], runs: 2 })).rejects.toThrow(
      'profile: all timestamps of 2 runs are equal; raise runs',
    );
  });

  test('not without timestamps, and not for programs of others', async () => {
    using backend = await webgpu({ device: new MockDevice().device });
    const bound = { x: backend.alloc(64), w: backend.alloc(64), y: backend.alloc(64) };
    const program = await backend.load(chainPlan(1), bound);
    await expect(profile(program, { scalars: [1] })).rejects.toThrow('profile: the device has no timestamps');
    await expect(profile(program)).rejects.toThrow('profile chain: received 0 scalars; it takes 1: factor');
    using oracle = reference();
    using other = await oracle.load({ ...chainPlan(0), buffers: [] }, {});
    await expect(profile(other)).rejects.toThrow('"chain" is no program of the webgpu backend');
  });
});

await onDevice('profile', (backend) => {
  test.runIf(backend?.capabilities.details['timestamps'])('times each dispatch, and leaves no memory', async () => {
    const bound = { x: backend.alloc(64), w: backend.alloc(64), y: backend.alloc(64) };
    using program = await backend.load(chainPlan(3), bound);
    const { bytes } = backend.memory;
    const measured = await profile(program, { scalars: [1], runs: 3 });
    expect(measured.map((t) => [t.op, t.label])).toEqual([0, 1, 2].map((i) => ['matmul', `chain.${i}`]));
    for (const { duration, start, workgroups } of measured) {
      expect(duration).toBeGreaterThanOrEqual(0);
      expect(start).toBeGreaterThanOrEqual(0);
      expect(workgroups).toBe(1);
    }
    expect(backend.memory.bytes).toBe(bytes);
  });
});
