import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { requireTensor } from '../checkpoint/read-tensor.ts';
import { tensorName } from '../checkpoint/tensor-roles.ts';
import type { GateMode } from '../saliency/statistics-file.ts';

const JOURNAL_VERSION = 1;

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Names a run: equal for the same weights, text and gate mode, different otherwise (sha256, hex). The fingerprint knows
 * only the tensors' shapes, so the first and last routers' bytes are read as well: a fine-tune has a key of its own.
 */
export async function calibrationRunKey(
  checkpoint: Checkpoint,
  domains: readonly { readonly name: string; readonly hash: string }[],
  gate: GateMode,
  signal?: AbortSignal,
): Promise<string> {
  const routers: string[] = [];
  for (const layer of new Set([checkpoint.moeLayers[0], checkpoint.moeLayers.at(-1)])) {
    if (layer === undefined) continue;
    const tensor = requireTensor(checkpoint, tensorName(checkpoint.architecture.tensors.router, layer));
    const source = await checkpoint.folder.open(tensor.file, signal);
    routers.push(await sha256(await source.read(tensor.offset, tensor.byteLength, signal)));
  }
  const facts = [JOURNAL_VERSION, checkpoint.fingerprint, routers, domains.map(({ name, hash }) => [name, hash]), gate];
  return sha256(new TextEncoder().encode(JSON.stringify(facts)));
}
