import { webgpu } from '@transept/webgpu-backend';
import { standInOrder } from '../packages/webgpu-backend/src/subgroups.ts';
const { create } = (await import('webgpu' as string)) as any;
const gpu = create([]); const a = await gpu.requestAdapter();
for (let i = 0; i < 4; i++) { const d = await a.requestDevice({ requiredFeatures: ['subgroups'] }); const t = performance.now(); const ok = await standInOrder(d, a.info.subgroupMinSize); console.log(ok, (performance.now() - t).toFixed(1), 'ms'); const t2=performance.now(); console.log(await standInOrder(await a.requestDevice({ requiredFeatures: ['subgroups'] }), 32), (performance.now()-t2).toFixed(1)); }
console.log(typeof gpu); process.exit(0);
