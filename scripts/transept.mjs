#!/usr/bin/env node
// The workspace's own `transept` program: `pnpm transept …` prints nothing of its own, unlike a package script.
process.argv.splice(2, 0, 'transept');
await import('./run.mjs');
