import type { Architecture } from '../architectures/descriptor.ts';
import type { ByteSource, SourceFolder } from '../bytes/byte-source.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { type OpenOptions, openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { parsePlan } from '../plan/plan-file.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';
import { isSystemFile, JOURNAL_FILES, MANIFEST_FILE, PLAN_FILE } from './export-files.ts';
import { layoutExport } from './export-layout.ts';
import type { ExportProgress } from './export-progress.ts';
import { type ExportManifest, parseManifest } from './manifest.ts';
import { plannedFiles } from './open-target.ts';
import { sha256Of } from './sha256.ts';
import { verifyBytes } from './verify-bytes.ts';
import { ProblemList, type VerifyReport } from './verify-report.ts';
import { checkExpertCounts, checkTensors } from './verify-tensors.ts';

export interface VerifyJob {
  /** The exported folder. */
  readonly folder: SourceFolder;
  /** The unpruned model, open. Without it the bytes are held against the manifest alone. */
  readonly source?: Checkpoint | undefined;
  /** Descriptor of a model that the registry does not know; the source's own when absent. */
  readonly architecture?: Architecture | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: ExportProgress) => void;
}

async function readText(folder: SourceFolder, name: string, signal: AbortSignal | undefined): Promise<string> {
  const source = await folder.open(name, signal);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(await source.read(0, source.size, signal));
}

/** The plan in the folder, when its text is the one that was exported. */
async function readPlan(
  job: VerifyJob,
  manifest: ExportManifest | undefined,
  problems: ProblemList,
): Promise<{ text: string; plan: PruningPlan } | undefined> {
  const text = await problems.attempt(() => readText(job.folder, PLAN_FILE, job.signal));
  if (text === undefined) return undefined;
  if (manifest !== undefined && (await sha256Of(text)) !== manifest.planHash) {
    problems.add(
      'plan-changed',
      `"${PLAN_FILE}" is not the plan that was exported: its sha256 differs from the manifest's.`,
      { file: PLAN_FILE },
    );
  }
  const plan = await problems.attempt(() => parsePlan(text));
  if (plan === undefined) return undefined;
  if (manifest !== undefined && JSON.stringify(plan.model) !== JSON.stringify(manifest.model)) {
    problems.add('other-model', 'The plan and the manifest name different models.', { file: PLAN_FILE });
  }
  return { text, plan };
}

/** The files are those of `expected`, the manifest, and no other. */
function checkFileSet(names: readonly string[], expected: readonly string[], problems: ProblemList): void {
  for (const name of expected) {
    if (!names.includes(name)) problems.add('missing-file', `"${name}" is missing.`, { file: name });
  }
  const journals: readonly string[] = JOURNAL_FILES;
  for (const name of names) {
    if (journals.includes(name))
      problems.add('unfinished', 'The export into this folder was not finished.', { file: name });
    else if (name !== MANIFEST_FILE && !expected.includes(name))
      problems.add('extra-file', `"${name}" is not part of the export.`, { file: name });
  }
}

/** The bytes that each file must have, from the unpruned model. */
async function expectedFiles(
  job: VerifyJob,
  planText: string,
  plan: PruningPlan,
  problems: ProblemList,
): Promise<ReadonlyMap<string, (signal?: AbortSignal) => Promise<ByteSource>>> {
  const { source } = job;
  const files = new Map<string, (signal?: AbortSignal) => Promise<ByteSource>>();
  if (source === undefined) return files;
  if (source.fingerprint !== plan.model.fingerprint) {
    problems.add(
      'wrong-source',
      `"${source.folder.label}" is not the model that this export was made from: tensors, dtypes or shapes differ.`,
    );
    return files;
  }
  const layout = await problems.attempt(() => layoutExport(source, planText, job.signal));
  for (const file of layout === undefined ? [] : plannedFiles(layout))
    files.set(file.name, (signal) => file.open(signal));
  return files;
}

/** The export is read by the descriptor of the model that it was made from, where that is at hand. */
function openOptions({ source, architecture, signal }: VerifyJob): OpenOptions {
  const descriptor = architecture ?? source?.architecture;
  return {
    ...(descriptor === undefined ? {} : { architecture: descriptor }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/**
 * Checks an exported folder: manifest and plan are the ones written, every file and tensor has the manifest's sha256, the
 * checkpoint opens by the strict reader with the plan's expert count in config.json and every tensor where the index says,
 * every expert comes from where the plan says, and nothing is missing or too much. With the unpruned model at hand every
 * byte is also held against the byte of the source that it must be. Reads each file once.
 * @returns all problems found; none means that the folder is right.
 * @throws the signal's reason, and failures to read that are not about the folder's content.
 */
export async function verifyExport(job: VerifyJob): Promise<VerifyReport> {
  const { folder, signal, onProgress } = job;
  const problems = new ProblemList();
  const names = folder.names.filter((name) => !isSystemFile(name));
  const manifest = await problems.attempt(async () => parseManifest(await readText(folder, MANIFEST_FILE, signal)));
  const planned = await readPlan(job, manifest, problems);
  const exported = await problems.attempt(() => openCheckpoint(folder, openOptions(job)));
  if (exported !== undefined && planned !== undefined) {
    checkExpertCounts(exported, planned.plan, problems);
    if (manifest !== undefined) checkTensors(exported, planned.plan, manifest, problems);
  }
  const expected = planned === undefined ? new Map() : await expectedFiles(job, planned.text, planned.plan, problems);
  const comparedWithSource = expected.size > 0;
  const listed = manifest?.files.map((file) => file.name) ?? [];
  checkFileSet(names, [...new Set([...listed, ...expected.keys()])], problems);
  if (comparedWithSource) {
    for (const name of listed)
      if (!expected.has(name))
        problems.add('extra-file', `By the source and the plan, "${name}" is not part of the export.`, { file: name });
  }
  let files = 0;
  let bytesDone = 0;
  if (manifest !== undefined) {
    const bytesTotal = manifest.files.reduce((sum, file) => sum + file.size, 0);
    for (const name of new Set([...listed, ...expected.keys()])) {
      if (!names.includes(name)) continue;
      await problems.attempt(async () => {
        const file = {
          stored: await folder.open(name, signal),
          shard: exported?.shards.find((shard) => shard.file === name),
          expected: await expected.get(name)?.(signal),
        };
        await verifyBytes(file, manifest, problems, signal, (bytes) => {
          bytesDone += bytes;
          onProgress?.({ phase: 'verifying', file: name, bytesDone, bytesTotal });
        });
        files++;
      });
    }
  }
  return { files, tensors: exported?.tensors.size ?? 0, bytes: bytesDone, comparedWithSource, problems: problems.all };
}
