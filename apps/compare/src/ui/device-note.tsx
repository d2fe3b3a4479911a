// Says that the device was lost, and that all goes on. Always there, so that screen readers notice when it has something to say.
import { replacing } from '../state/losses.ts';
import type { Losses } from '../state/losses.ts';
import { milliseconds } from './format.ts';

export function DeviceNote({ losses }: { losses: Losses }) {
  return <div role="status">{losses.count > 0 && <p class="notice">{describe(losses)}</p>}</div>;
}

function describe(losses: Losses): string {
  const times = losses.count === 1 ? '' : ` ${losses.count} times`;
  if (replacing(losses))
    return `The device was lost${times}. Another is being made ready; what was running goes on there.`;
  const latest = `${losses.count === 1 ? '' : 'at last '}after ${milliseconds(losses.replacedMs!)}`;
  return `The device was lost${times} and replaced, ${latest}. What was running went on from where it was.`;
}
