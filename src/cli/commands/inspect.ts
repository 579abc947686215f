import type { Architecture } from '../../core/architectures/descriptor.ts';
import { serialiseDescriptor } from '../../core/architectures/descriptor-file.ts';
import { architectures } from '../../core/architectures/registry.ts';
import { isStudioError, type StudioError } from '../../core/base/errors.ts';
import type { SourceFolder } from '../../core/bytes/byte-source.ts';
import type { Checkpoint, CheckpointTensor } from '../../core/checkpoint/checkpoint.ts';
import { openCheckpoint } from '../../core/checkpoint/open-checkpoint.ts';
import { summariseCheckpoint } from '../../core/checkpoint/summarise.ts';
import type { CheckpointSummary } from '../../core/checkpoint/summary.ts';
import { formatBytes } from '../../core/export/format-bytes.ts';
import { inspectFolder } from '../../core/inspector/inspect-folder.ts';
import type { Proposal } from '../../core/inspector/proposal.ts';
import { onePositional, parseCommandLine } from '../arguments.ts';
import { type CliIo, EXIT } from '../cli-io.ts';
import { DESCRIPTOR_OPTION, readDescriptor } from '../descriptor-option.ts';
import { proposalJson, proposalText } from '../inspect-proposal.ts';
import { openFolder } from '../open-model.ts';
import { writeTextFile } from '../text-files.ts';

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

/** Refusals that say: no row describes these files, or the row does not fit them. */
const UNFITTING: ReadonlySet<string> = new Set([
  'unknown-architecture',
  'unclassified-tensor',
  'missing-tensor',
  'shape-mismatch',
  'tensor-out-of-range',
]);

async function openOrRefusal(
  folder: SourceFolder,
  architecture: Architecture | undefined,
  signal: AbortSignal,
): Promise<Checkpoint | StudioError> {
  try {
    return await openCheckpoint(folder, { signal, ...(architecture === undefined ? {} : { architecture }) });
  } catch (error) {
    // A descriptor that was given is not worked out again: what is wrong with it is the answer.
    if (architecture === undefined && isStudioError(error, 'checkpoint') && UNFITTING.has(error.code)) return error;
    throw error;
  }
}

/** What the inspector makes of the files; undefined where it finds no experts or router. */
async function propose(folder: SourceFolder, signal: AbortSignal): Promise<Proposal | undefined> {
  try {
    return await inspectFolder(folder, architectures.all(), signal);
  } catch (error) {
    if (isStudioError(error, 'checkpoint')) return undefined;
    throw error;
  }
}

function asJson(checkpoint: Checkpoint, proposal: Proposal | undefined): string {
  const tensors = [...checkpoint.tensors.values()].map(({ name, dtype, shape, file, byteLength, role }) => ({
    name,
    dtype,
    shape,
    file,
    byteLength,
    role,
  }));
  return `${JSON.stringify({
    ...summariseCheckpoint(checkpoint),
    companionFiles: checkpoint.companionFiles,
    tensors,
    descriptor: checkpoint.architecture,
    proposal: proposal === undefined ? null : { ...proposalJson(proposal), descriptor: proposal.descriptor },
  })}\n`;
}

function proposedJson(folder: SourceFolder, refusal: StudioError, proposal: Proposal): string {
  const { code, message } = refusal;
  return `${JSON.stringify({
    label: folder.label,
    architecture: null,
    refusal: { code, message },
    descriptor: proposal.descriptor,
    proposal: proposalJson(proposal),
  })}\n`;
}

/**
 * Prints what a model is: config and headers are read, no weights. `--json` lists the role of every tensor. Where no row
 * fits, prints a proposed descriptor with its evidence instead.
 */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseCommandLine(argv, {
    ...DESCRIPTOR_OPTION,
    'write-descriptor': { type: 'string' },
    force: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  const folder = await openFolder(onePositional(positionals, 'MODEL'));
  const given = await readDescriptor(values.descriptor);
  const opened = await openOrRefusal(folder, given, io.signal);
  const refused = isStudioError(opened);
  const proposal = refused || values.json ? await propose(folder, io.signal) : undefined;
  if (refused && proposal === undefined) throw opened;
  const descriptor = refused ? proposal?.descriptor : opened.architecture;
  const target = values['write-descriptor'];
  if (target !== undefined && descriptor !== undefined) {
    await writeTextFile(target, serialiseDescriptor(descriptor), values.force);
  }
  if (!refused) io.stdout(values.json ? asJson(opened, proposal) : asText(opened, summariseCheckpoint(opened)));
  else if (proposal !== undefined) {
    io.stdout(values.json ? proposedJson(folder, opened, proposal) : proposalText(folder.label, opened, proposal));
  }
  return EXIT.ok;
}
