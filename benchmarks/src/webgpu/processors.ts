// Time that processors spent on everything this process started: a browser with its pages and the process that plays GPU. It is what
// can be compared on a machine that others use. Linux only.
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks a second that Linux counts times of processes in. */
const ticksPerSecond = 100;

/** Milliseconds so far of all children of this process and theirs; undefined where the system does not tell. */
export function childrenMs(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const children = new Map<number, number[]>();
  const ticks = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!pid) continue;
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // After the name, which may hold anything: state, parent, …, user and system time 11 fields further.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      const parent = Number(fields[1]);
      children.set(parent, [...(children.get(parent) ?? []), pid]);
      ticks.set(pid, Number(fields[11]) + Number(fields[12]));
    } catch {
      // It has ended in between.
    }
  }
  const sum = (pid: number): number =>
    (children.get(pid) ?? []).reduce((n, child) => n + ticks.get(child)! + sum(child), 0);
  return (1000 * sum(process.pid)) / ticksPerSecond;
}
