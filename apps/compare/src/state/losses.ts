// How often a backend lost its device, and how it went on.
import type { News } from '../protocol.ts';

export interface Losses {
  readonly count: number;
  /** Milliseconds until the latest was made good; undefined until then. */
  readonly replacedMs: number | undefined;
}

export const noLosses: Losses = { count: 0, replacedMs: undefined };

export function lossesAfter({ count }: Losses, news: News): Losses {
  switch (news.kind) {
    case 'lost':
      return { count: count + 1, replacedMs: undefined };
    case 'replaced':
      return { count, replacedMs: news.ms };
    default:
      return news satisfies never;
  }
}

/** A device is lost, and the next is not there yet. */
export const replacing = ({ count, replacedMs }: Losses): boolean => count > 0 && replacedMs === undefined;
