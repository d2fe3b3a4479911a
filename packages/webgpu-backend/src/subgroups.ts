// Subgroups as the kernels take them: consecutive invocations, by their number in the workgroup, stand in order in one subgroup. WGSL
// does not promise that, so it is tried once on every device.
import { bufferUsage, computeStage, mapRead } from './constants.ts';

const size = 256;
const groups = 2;

/** Every invocation asks its partner at each distance below `subgroup` for its number. */
const code = (subgroup: number): string => `enable subgroups;
diagnostic(off, subgroup_uniformity);
@group(0) @binding(0) var<storage, read_write> seen: array<u32>;
@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var wrong = 0u;
${distances(subgroup)
  .map((step) => `  if (subgroupShuffleXor(lane, ${step}u) != (lane ^ ${step}u)) { wrong |= ${step}u; }`)
  .join('\n')}
  seen[group.x * ${size}u + lane] = ${right}u + wrong;
}
`;

const right = 0x5eed00;
const distances = (subgroup: number): number[] => Array.from({ length: Math.log2(subgroup) }, (_, i) => 2 ** i);

const known = new WeakMap<GPUDevice, Promise<boolean>>();

/** Do invocations of a device stand in order in subgroups of this many? */
export function standInOrder(device: GPUDevice, subgroup: number): Promise<boolean> {
  let answer = known.get(device);
  if (!answer) known.set(device, (answer = probe(device, subgroup).catch(() => false)));
  return answer;
}

async function probe(device: GPUDevice, subgroup: number): Promise<boolean> {
  const bytes = 4 * size * groups;
  const buffer = (usage: GPUBufferUsageFlags): GPUBuffer =>
    device.createBuffer({ label: 'subgroups', size: bytes, usage });
  const entry = { binding: 0, visibility: computeStage, buffer: { type: 'storage' } } as const;
  const layout = device.createBindGroupLayout({ entries: [entry] });
  const pipeline = await device.createComputePipelineAsync({
    label: 'subgroups',
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ label: 'subgroups', code: code(subgroup) }), entryPoint: 'main' },
  });
  const seen = buffer(bufferUsage.storage | bufferUsage.copySource);
  const staging = buffer(bufferUsage.mapRead | bufferUsage.copyTarget);
  try {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: seen } }] }));
    pass.dispatchWorkgroups(groups);
    pass.end();
    encoder.copyBufferToBuffer(seen, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(mapRead);
    return new Uint32Array(staging.getMappedRange()).every((x) => x === right);
  } finally {
    seen.destroy();
    staging.destroy();
  }
}
