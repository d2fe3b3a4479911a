// How far two backends may lie apart; docs/numerics.md derives the numbers.

/** Largest difference of a logit from the exact one. */
const bounds: Readonly<Record<string, number>> = { reference: 1e-4, cpu: 5e-4, webgpu: 2e-3 };

/** The bound of a backend; one that is not ours is held to the widest. */
export const bound = (backend: string): number => bounds[backend] ?? Math.max(...Object.values(bounds));

/** Where the two best logits are nearer than this, either choice is right. */
export const margin = 1e-3;
