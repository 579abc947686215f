import type { Checkpoint, CheckpointTensor } from '../../core/checkpoint/checkpoint.ts';
import { summariseCheckpoint } from '../../core/checkpoint/summarise.ts';
import type { CheckpointSummary } from '../../core/checkpoint/summary.ts';
import { formatBytes } from '../../core/export/format-bytes.ts';
import { onePositional, parseCommandLine } from '../arguments.ts';
import { type CliIo, EXIT } from '../cli-io.ts';
import { openModel } from '../open-model.ts';

function roleName({ role }: CheckpointTensor): string {
  const further = role.nextToken ? ' (further tokens)' : '';
  switch (role.kind) {
    case 'part':
      return role.part + further;
    case 'mlp':
      return `${role.mlp} ${role.projection}${further}`;
    case 'router':
      return role.part + further;
    case 'expert':
      return `expert ${role.projection}${further}`;
    case 'fused-experts':
      return `fused ${role.projection}${further}`;
    case 'ignored':
      return `not computed${further}`;
  }
}

interface RoleCount {
  readonly role: string;
  readonly tensors: number;
  readonly bytes: number;
}

function countRoles(checkpoint: Checkpoint): RoleCount[] {
  const counts = new Map<string, RoleCount>();
  for (const tensor of checkpoint.tensors.values()) {
    const role = roleName(tensor);
    const count = counts.get(role) ?? { role, tensors: 0, bytes: 0 };
    counts.set(role, { role, tensors: count.tensors + 1, bytes: count.bytes + tensor.byteLength });
  }
  return [...counts.values()].sort((a, b) => b.bytes - a.bytes);
}

/** `3, 4, 5, 9` → "3-5, 9". */
function ranges(values: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const value of values) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === value - 1) last[1] = value;
    else parts.push([value, value]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

function asText(checkpoint: Checkpoint, summary: CheckpointSummary): string {
  const { experts, topK, layers, hiddenSize, vocabularySize, expertWidth } = summary;
  const facts: [string, string][] = [
    ['model', summary.label],
    ['architecture', `${summary.architectureLabel} (${summary.architecture})`],
    ['layers', `${layers}, with experts: ${ranges(checkpoint.moeLayers)}`],
    ['experts', `${experts} a layer, ${topK} a token, width ${expertWidth}`],
    ['hidden size', `${hiddenSize}, vocabulary ${vocabularySize}`],
    ['parameters', `${summary.totalParameters}`],
    ['bytes', `${formatBytes(summary.totalBytes)} in ${summary.shards} ${summary.shards === 1 ? 'file' : 'shards'}`],
    ['dtypes', summary.bytesByDtype.map(([dtype, bytes]) => `${dtype} ${formatBytes(bytes)}`).join(', ')],
    ['fingerprint', summary.fingerprint],
    ['other files', checkpoint.companionFiles.join(', ') || 'none'],
  ];
  const roles = countRoles(checkpoint).map(
    ({ role, tensors, bytes }) => `  ${role.padEnd(22)}${String(tensors).padStart(7)} tensors  ${formatBytes(bytes)}`,
  );
  return `${facts.map(([name, value]) => `${name.padEnd(14)}${value}`).join('\n')}\ntensors\n${roles.join('\n')}\n`;
}

/** Prints what a model is: config and headers are read, no weights. `--json` lists the role of every tensor. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseCommandLine(argv, { json: { type: 'boolean', default: false } });
  const checkpoint = await openModel(onePositional(positionals, 'MODEL'), io.signal);
  const summary = summariseCheckpoint(checkpoint);
  if (!values.json) {
    io.stdout(asText(checkpoint, summary));
    return EXIT.ok;
  }
  const tensors = [...checkpoint.tensors.values()].map(({ name, dtype, shape, file, byteLength, role }) => ({
    name,
    dtype,
    shape,
    file,
    byteLength,
    role,
  }));
  io.stdout(`${JSON.stringify({ ...summary, companionFiles: checkpoint.companionFiles, tensors })}\n`);
  return EXIT.ok;
}
