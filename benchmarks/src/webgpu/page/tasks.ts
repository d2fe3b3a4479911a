// Tasks of the page's thread that take longer than 50 ms, as the browser reports them.

export interface LongTask {
  /** Milliseconds since the beginning. */
  readonly start: number;
  readonly duration: number;
}

export interface TaskProfile extends Disposable {
  /** The long tasks so far. */
  end(): Promise<readonly LongTask[]>;
}

export function profileTasks(): TaskProfile {
  const began = performance.now();
  const tasks: LongTask[] = [];
  const add = (entries: readonly PerformanceEntry[]): void =>
    void tasks.push(...entries.map(({ startTime, duration }) => ({ start: startTime - began, duration })));
  const observer = new PerformanceObserver((list) => add(list.getEntries()));
  observer.observe({ entryTypes: ['longtask'] });
  return {
    async end() {
      // A task is reported after it has ended.
      await new Promise((resolve) => setTimeout(resolve, 100));
      add(observer.takeRecords());
      return tasks.toSorted((a, b) => a.start - b.start);
    },
    [Symbol.dispose]: () => observer.disconnect(),
  };
}
