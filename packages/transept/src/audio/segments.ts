// What is said when: tokens between timestamps as pieces of text with times.

export interface Segment {
  readonly text: string;
  /** In seconds. */
  readonly start: number;
  /** Undefined where the model did not say when it ends. */
  readonly end: number | undefined;
}

export interface SegmentOptions {
  /** The id of the timestamp of 0 s; those after it are timestamps too. */
  readonly firstTimestamp: number;
  /** Seconds between timestamps, and that the model takes at once. */
  readonly step: number;
  readonly window: number;
  readonly decode: (ids: readonly number[]) => string;
}

/**
 * Ids as `generate` gives them with timestamps: `<start> text <end>` over and over. Where times go back, the model began anew at what
 * it had not dealt with: at the end before if another segment was begun there, else at the end of what it had taken.
 */
export function segmentsOf(ids: ArrayLike<number>, options: SegmentOptions): Segment[] {
  const { firstTimestamp, step, window, decode } = options;
  const segments: Segment[] = [];
  let [offset, latest, begun]: [number, number, number | undefined] = [0, 0, undefined];
  let text: number[] = [];
  const end = (at: number | undefined): void => {
    if (text.length > 0) segments.push({ text: decode(text), start: begun ?? offset, end: at });
    text = [];
  };
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (id < firstTimestamp) {
      text.push(id);
      continue;
    }
    const time = (id - firstTimestamp) * step;
    if (time < latest) {
      const pair = i > 1 && ids[i - 1]! >= firstTimestamp && ids[i - 2]! >= firstTimestamp;
      end(undefined);
      offset += pair ? (ids[i - 2]! - firstTimestamp) * step : window;
      begun = undefined;
    }
    if (text.length > 0) {
      end(offset + time);
      begun = undefined;
    } else begun = offset + time;
    latest = time;
  }
  end(undefined);
  return segments;
}
