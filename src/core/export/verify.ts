import type { Architecture } from '../architectures/descriptor.ts';
import type { SourceFolder } from '../bytes/byte-source.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { type OpenOptions, openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { parsePlan } from '../plan/plan-file.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';
import { isSystemFile, JOURNAL_FILES, LOCK_FILE, MANIFEST_FILE, PLAN_FILE } from './export-files.ts';
import { type ExportLayout, layoutExport, type PlannedFile } from './export-layout.ts';
import type { ExportProgress } from './export-progress.ts';
import type { OpenFileHasher } from './file-hasher.ts';
import { parseManifest } from './manifest.ts';
import type { ExportManifest } from './manifest-schema.ts';
import { plannedFiles } from './open-target.ts';
import { sha256Of } from './sha256.ts';
import { openTensorHasher } from './tensor-hasher.ts';
import { type VerifyContext, verifyBytes } from './verify-bytes.ts';
import { ProblemList, type VerifyReport } from './verify-report.ts';
import { checkPublished, nothingPublished, publishedFiles, verifySourceFiles } from './verify-source.ts';
import { checkExpertCounts, checkSourceRanges, checkTensors } from './verify-tensors.ts';

export interface VerifyJob {
  /** The exported folder. */
  readonly folder: SourceFolder;
  /** The unpruned model, open. Without it the bytes are held against the manifest alone. */
  readonly source?: Checkpoint | undefined;
  /** Descriptor of a model that the registry does not know; the source's own when absent. */
  readonly architecture?: Architecture | undefined;
  /** Also read whole source files and hold them against the sha256 that the manifest records as published; needs `source`. */
  readonly sourceHashes?: boolean;
  /** The platform's fastest; WebAssembly on the calling thread when absent. */
  readonly openHasher?: OpenFileHasher;
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
  const records: readonly string[] = [...JOURNAL_FILES, LOCK_FILE];
  for (const name of names) {
    if (records.includes(name))
      problems.add('unfinished', 'The export into this folder was not finished.', { file: name });
    else if (name !== MANIFEST_FILE && !expected.includes(name))
      problems.add('extra-file', `"${name}" is not part of the export.`, { file: name });
  }
}

/** What the export must be, by the unpruned model and the plan; undefined without the model, or with the wrong one. */
async function expectedLayout(
  { source, signal }: VerifyJob,
  planned: { readonly text: string; readonly plan: PruningPlan } | undefined,
  manifest: ExportManifest | undefined,
  problems: ProblemList,
): Promise<ExportLayout | undefined> {
  if (source === undefined || planned === undefined) return undefined;
  if (source.fingerprint !== planned.plan.model.fingerprint) {
    problems.add(
      'wrong-source',
      `"${source.folder.label}" is not the model that this export was made from: tensors, dtypes or shapes differ.`,
    );
    return undefined;
  }
  const shardBytes = manifest?.version === 2 ? (manifest.shardBytes ?? undefined) : undefined;
  return problems.attempt(() => layoutExport(source, planned.text, signal, { shardBytes }));
}

/** The export is read by the descriptor of the model that it was made from, where that is at hand. */
function openOptions({ source, architecture, signal }: VerifyJob): OpenOptions {
  const descriptor = architecture ?? source?.architecture;
  return {
    ...(descriptor === undefined ? {} : { architecture: descriptor }),
    ...(signal === undefined ? {} : { signal }),
  };
}

interface Holdings {
  /** Names of the files that are there. */
  readonly names: readonly string[];
  readonly manifest: ExportManifest;
  readonly exported: Checkpoint | undefined;
  readonly expected: ReadonlyMap<string, PlannedFile>;
}

/** Reads every file that the manifest or the source and the plan name. @returns how many. */
async function verifyFiles(
  job: VerifyJob,
  { names, manifest, exported, expected }: Holdings,
  problems: ProblemList,
  contextOf: (file: string) => VerifyContext,
): Promise<number> {
  const { folder, signal } = job;
  let files = 0;
  for (const name of new Set([...manifest.files.map((file) => file.name), ...expected.keys()])) {
    if (!names.includes(name)) continue;
    await problems.attempt(async () => {
      const file = {
        stored: await folder.open(name, signal),
        shard: exported?.shards.find((shard) => shard.file === name),
        expected: await expected.get(name)?.open(signal),
      };
      await verifyBytes(file, manifest, problems, contextOf(name));
      files++;
    });
  }
  return files;
}

/** Bytes that verify will read. */
function bytesToRead(manifest: ExportManifest, sourceHashes: boolean): number {
  const read = [...manifest.files, ...(sourceHashes ? publishedFiles(manifest) : [])];
  return read.reduce((sum, { size }) => sum + size, 0);
}

/**
 * Checks an exported folder: manifest and plan are the ones written, every file and tensor has the manifest's sha256, the
 * checkpoint opens by the strict reader with the plan's expert count in config.json and every tensor where the index says,
 * every expert comes from where the plan says, and nothing is missing or too much. With the unpruned model at hand every
 * byte is also held against the byte of the source that it must be, and every tensor of the manifest against the range of
 * the source that it names. Reads each file once.
 * @returns all problems found; none means that the folder is right.
 * @throws StudioError family `export` code `no-published-hashes`; the signal's reason; failures to read that are not about
 * the folder's content.
 */
export async function verifyExport(job: VerifyJob): Promise<VerifyReport> {
  const { folder, source, signal, onProgress, openHasher = openTensorHasher, sourceHashes = false } = job;
  const problems = new ProblemList();
  const names = folder.names.filter((name) => !isSystemFile(name));
  const manifest = await problems.attempt(async () => parseManifest(await readText(folder, MANIFEST_FILE, signal)));
  const published = manifest === undefined ? 0 : publishedFiles(manifest).length;
  if (sourceHashes && manifest !== undefined && published === 0) throw nothingPublished();
  const planned = await readPlan(job, manifest, problems);
  const exported = await problems.attempt(() => openCheckpoint(folder, openOptions(job)));
  if (exported !== undefined && planned !== undefined) {
    checkExpertCounts(exported, planned.plan, problems);
    if (manifest !== undefined) checkTensors(exported, planned.plan, manifest, problems);
  }
  const layout = await expectedLayout(job, planned, manifest, problems);
  const expected = new Map(layout === undefined ? [] : plannedFiles(layout).map((file) => [file.name, file]));
  const listed = manifest?.files.map((file) => file.name) ?? [];
  checkFileSet(names, [...new Set([...listed, ...expected.keys()])], problems);
  if (layout !== undefined) {
    for (const name of listed)
      if (!expected.has(name))
        problems.add('extra-file', `By the source and the plan, "${name}" is not part of the export.`, { file: name });
  }
  let files = 0;
  let sourceFiles = 0;
  let bytesDone = 0;
  if (manifest !== undefined) {
    if (layout !== undefined) checkSourceRanges(layout, manifest, problems);
    const bytesTotal = bytesToRead(manifest, sourceHashes);
    const contextOf = (file: string): VerifyContext => ({
      openHasher,
      signal,
      onBytes: (bytes) => {
        bytesDone += bytes;
        onProgress?.({ phase: 'verifying', file, bytesDone, bytesTotal });
      },
    });
    files = await verifyFiles(job, { names, manifest, exported, expected }, problems, contextOf);
    if (source !== undefined) {
      checkPublished(source.folder, manifest, problems);
      if (sourceHashes)
        sourceFiles = await verifySourceFiles(source.folder, manifest, problems, contextOf(source.folder.label));
    }
  }
  return {
    files,
    tensors: exported?.tensors.size ?? 0,
    bytes: bytesDone,
    comparedWithSource: layout !== undefined,
    sourceFiles,
    publishedFiles: published,
    problems: problems.all,
  };
}
