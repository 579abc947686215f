import { FilesFolder } from '../../../src/core/bytes/files-folder.ts';
import type { InferenceBackend } from '../../../src/core/calibration/inference-backend.ts';
import { openCheckpoint } from '../../../src/core/checkpoint/open-checkpoint.ts';
import { openGpu } from '../../../workers/gpu-device.ts';
import { openConvertingWasmBackend, openWasmBackend } from '../../../workers/wasm-backend.ts';
import { WebGpuBackend } from '../../../workers/webgpu-backend.ts';
import { type ModelSizes, madeUpModel } from './made-up-model.ts';
import { holdEqual, lineOf, type Measured, measure } from './measure.ts';

export interface Task {
  readonly backend: 'wasm' | 'webgpu';
  readonly sizes: ModelSizes;
  readonly tokens: number;
}

/** The file, in which equal pieces are one blob: it takes no memory of its own. */
function fileOf(pieces: readonly Uint8Array<ArrayBuffer>[]): File {
  const blobs = new Map<ArrayBuffer, Blob>();
  const parts = pieces.map(({ buffer, byteOffset, byteLength }) => {
    const blob = blobs.get(buffer) ?? new Blob([buffer]);
    blobs.set(buffer, blob);
    return blob.slice(byteOffset, byteOffset + byteLength);
  });
  return new File(parts, 'model.safetensors');
}

/** Without overlap weights are decoded in place as well. */
async function open({ backend, sizes }: Task, overlap: boolean): Promise<InferenceBackend> {
  if (backend === 'webgpu') return WebGpuBackend.open(await openGpu(10_000), sizes.hidden, []);
  return overlap ? openConvertingWasmBackend([]) : openWasmBackend([]);
}

addEventListener('message', async ({ data: task }: MessageEvent<Task>) => {
  const say = (line: string): void => postMessage({ line });
  try {
    const { config, pieces, bytes } = madeUpModel(task.sizes);
    const files = [new File([config], 'config.json'), fileOf(pieces)];
    const checkpoint = await openCheckpoint(new FilesFolder('made up', files));
    say(`  ${(bytes / 1e6).toFixed(0)} MB, ${task.tokens} tokens, ${JSON.stringify(task.sizes)}`);
    // The first run compiles graphs and kernels; it counts for neither.
    const runs: Measured[] = [];
    for (const [name, overlap] of [
      ['to warm up', true],
      ['one after the other', false],
      ['overlapping', true],
    ] as const) {
      const backend = await open(task, overlap);
      const { description, notes } = backend.about;
      const measured = await measure(checkpoint, backend, task.tokens, overlap);
      say(lineOf(`${description}, ${name}`, measured, bytes));
      for (const note of notes) say(`    ${note}`);
      runs.push(measured);
    }
    const [, apart, together] = runs;
    if (apart !== undefined && together !== undefined) holdEqual(apart, together);
    say('  the statistics are the same, bit for bit');
    postMessage({ done: true });
  } catch (error) {
    say(`  failed: ${error instanceof Error ? `${error.message} ${error.stack}` : String(error)}`);
    postMessage({ done: false });
  }
});
