// The script of a backend's worker. What an older browser lacks comes first, and only there: `Symbol.dispose` and
// `DisposableStack` are needed as soon as the packages are evaluated. Calls that arrive meanwhile wait.
import type { Port } from '../rpc/serve.ts';

const port = globalThis as unknown as Port;
const early: MessageEvent[] = [];
port.onmessage = (event) => early.push(event);

if (!('DisposableStack' in globalThis)) await import('core-js/proposals/explicit-resource-management');
const [{ serve }, { handlers }, { createBackend }] = await Promise.all([
  import('../rpc/serve.ts'),
  import('./handlers.ts'),
  import('./backends.ts'),
]);

serve(
  port,
  handlers({
    createBackend,
    tell: (value) => port.postMessage({ kind: 'news', value }),
    end: (message) => port.postMessage({ kind: 'lost', message }),
  }),
);
for (const event of early) port.onmessage(event);
