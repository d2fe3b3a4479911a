// Long work on the thread of a page, in short turns: what a user does there is answered in between.

/** Milliseconds of a turn. A page feels stuck where one takes more than 50. */
const turnMs = 8;

/** Of browsers that have it: goes on before other work of the kind, after what the user does. */
const { scheduler } = globalThis as { scheduler?: { yield?(): Promise<void> } };

/** A function to await between pieces of work: it gives the thread up when a turn has lasted long enough. */
export function turns(): () => Promise<void> | undefined {
  let began = performance.now();
  return () => {
    if (performance.now() - began < turnMs) return undefined;
    const pause = scheduler?.yield?.() ?? new Promise<void>((resolve) => setTimeout(resolve));
    return pause.then(() => void (began = performance.now()));
  };
}
