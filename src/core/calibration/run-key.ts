import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { requireTensor } from '../checkpoint/read-tensor.ts';
import { tensorName } from '../checkpoint/tensor-roles.ts';
import type { GateMode } from '../saliency/statistics-file.ts';

const JOURNAL_VERSION = 1;
/** Bytes read of a large tensor: enough to tell a trained copy apart. */
const SAMPLE_BYTES = 4096;

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Tensors that any training moves, of every layer. */
function sampledTensors({ architecture, config, moeLayers }: Checkpoint): string[] {
  const { tensors } = architecture;
  const names: string[] = [tensors.finalNorm];
  for (let layer = 0; layer < config.layers; layer++) {
    const mlp = moeLayers.includes(layer) ? tensors.experts.down : tensors.dense.down;
    names.push(
      tensorName(tensors.inputNorm, layer),
      tensorName(tensors.postAttentionNorm, layer),
      `${tensorName(tensors.output, layer)}.weight`,
      `${tensorName(mlp, layer)}.weight`,
    );
  }
  for (const layer of moeLayers) names.push(tensorName(tensors.router, layer));
  return names;
}

/**
 * Names a run: equal for the same model, text and gate mode, different otherwise (sha256, hex). The fingerprint knows
 * only the tensors' shapes, so config.json's numbers and a few kilobytes of every layer go in as well: a fine-tune, or
 * the same weights under another config.json, has a key of its own.
 */
export async function calibrationRunKey(
  checkpoint: Checkpoint,
  domains: readonly { readonly name: string; readonly hash: string }[],
  gate: GateMode,
  signal?: AbortSignal,
): Promise<string> {
  const samples: string[] = [];
  for (const name of sampledTensors(checkpoint)) {
    const tensor = requireTensor(checkpoint, name);
    const source = await checkpoint.folder.open(tensor.file, signal);
    samples.push(await sha256(await source.read(tensor.offset, Math.min(tensor.byteLength, SAMPLE_BYTES), signal)));
  }
  const facts = [
    JOURNAL_VERSION,
    checkpoint.fingerprint,
    checkpoint.config,
    samples,
    domains.map(({ name, hash }) => [name, hash]),
    gate,
  ];
  return sha256(new TextEncoder().encode(JSON.stringify(facts)));
}
