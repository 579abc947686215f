import type { PartName } from '../architectures/tensor-parts.ts';
import type { Checkpoint, CheckpointTensor } from '../checkpoint/checkpoint.ts';
import type { GateMode } from '../saliency/statistics-file.ts';

const JOURNAL_VERSION = 1;
/** Bytes read of a large tensor: enough to tell a trained copy apart. */
const SAMPLE_BYTES = 4096;
const READS_IN_FLIGHT = 16;

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

const SAMPLED_PARTS: ReadonlySet<PartName> = new Set<PartName>([
  'final-norm',
  'input-norm',
  'post-attention-norm',
  'output',
  'delta-output',
  'convolution-out',
  'scan-out',
]);

/** Tensors that any training moves, of every layer: routers, norms, what is added to the residual stream. */
function isSampled({ role }: CheckpointTensor): boolean {
  if (role.nextToken) return false;
  switch (role.kind) {
    case 'router':
      return true;
    case 'part':
      return SAMPLED_PARTS.has(role.part);
    case 'mlp':
    case 'fused-experts':
      return role.projection === 'down';
    case 'expert':
      return role.projection === 'down' && role.expert === 0;
    default:
      return false;
  }
}

/**
 * Names a run: equal for the same model, text and gate mode, different otherwise (sha256, hex). The fingerprint knows
 * only the tensors' shapes, so the descriptor, config.json's numbers and a few kilobytes of every layer go in as well: a
 * fine-tune, or the same weights under another config.json or descriptor, has a key of its own.
 */
export async function calibrationRunKey(
  checkpoint: Checkpoint,
  domains: readonly { readonly name: string; readonly hash: string }[],
  gate: GateMode,
  signal?: AbortSignal,
): Promise<string> {
  const samples: string[] = [];
  const sampled = [...checkpoint.tensors.values()].filter(isSampled).sort((a, b) => (a.name < b.name ? -1 : 1));
  const sampleOf = async ({ file, offset, byteLength }: CheckpointTensor): Promise<string> => {
    const source = await checkpoint.folder.open(file, signal);
    return sha256(await source.read(offset, Math.min(byteLength, SAMPLE_BYTES), signal));
  };
  for (let start = 0; start < sampled.length; start += READS_IN_FLIGHT) {
    samples.push(...(await Promise.all(sampled.slice(start, start + READS_IN_FLIGHT).map(sampleOf))));
  }
  const facts = [
    JOURNAL_VERSION,
    checkpoint.fingerprint,
    checkpoint.architecture,
    checkpoint.config,
    samples,
    domains.map(({ name, hash }) => [name, hash]),
    gate,
  ];
  return sha256(new TextEncoder().encode(JSON.stringify(facts)));
}
