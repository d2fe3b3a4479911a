// Numbers and names as people read them.
import type { BackendName } from '../protocol.ts';

export const backendTitles: Readonly<Record<BackendName, string>> = {
  cpu: 'CPU',
  webgpu: 'WebGPU',
  reference: 'Reference',
};

export const milliseconds = (ms: number): string =>
  ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB`;

export const rate = (perSecond: number): string => perSecond.toFixed(perSecond < 10 ? 1 : 0);

export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** A share of 1; never rounded up to 100 %. */
export const percent = (share: number): string =>
  share === 1 ? '100 %' : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;

const superscript = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** 0.0000123 as 1.2 · 10⁻⁵. */
export function scientific(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const [mantissa, exponent] = value.toExponential(1).split('e') as [string, string];
  const raised = [...exponent.replace('+', '')].map((c) => (c === '-' ? '⁻' : superscript[Number(c)])).join('');
  return mantissa === '1.0' ? `10${raised}` : `${mantissa} · 10${raised}`;
}
