import type { ByteSource } from '../bytes/byte-source.ts';
import { isSystemFile, LOCK_FILE, MANIFEST_FILE } from './export-files.ts';
import type { ExportLayout } from './export-layout.ts';
import { parseManifest } from './manifest.ts';
import type { ExportManifest } from './manifest-schema.ts';
import { plannedFiles } from './open-target.ts';
import { targetNotEmpty } from './target-refusals.ts';
import { hashFile, type WriteContext } from './write-file.ts';

/** Far more than the manifest of the largest model. */
const MAX_MANIFEST_BYTES = 1_000_000_000;

async function readManifest(source: ByteSource): Promise<ExportManifest | undefined> {
  if (source.size > MAX_MANIFEST_BYTES) return undefined;
  const bytes = await source.read(0, source.size);
  return parseManifest(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)).catch(() => undefined);
}

/** A file of the target that is none of this export, or undefined when the manifest and the names are those of this export. */
function strangerIn(
  manifest: ExportManifest | undefined,
  names: readonly string[],
  layout: ExportLayout,
  fingerprint: string,
): string | undefined {
  const planned = new Map(plannedFiles(layout).map((file) => [file.name, file.size]));
  const described =
    manifest !== undefined &&
    manifest.planHash === layout.planHash &&
    manifest.model.fingerprint === fingerprint &&
    manifest.files.length === planned.size &&
    manifest.files.every(({ name, size }) => planned.get(name) === size && names.includes(name));
  if (!described) return MANIFEST_FILE;
  return names.find((name) => !planned.has(name) && name !== MANIFEST_FILE);
}

/**
 * Checks a target that holds no journal, but perhaps this very export, complete: a run that was killed after its last file
 * leaves that. Every file is read and hashed.
 * @returns bytes of the files, the manifest's included.
 * @throws StudioError family `export` code `target-not-empty` when it is anything else.
 */
export async function checkFinishedExport(
  layout: ExportLayout,
  fingerprint: string,
  context: WriteContext,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const { target } = context;
  const names = (await target.list()).filter((name) => !isSystemFile(name) && name !== LOCK_FILE);
  const stored = await target.open(MANIFEST_FILE);
  const manifest = await readManifest(stored);
  const stranger = strangerIn(manifest, names, layout, fingerprint);
  if (stranger !== undefined) throw targetNotEmpty(target.label, stranger, ' and no journal of an unfinished export');
  let bytes = stored.size;
  for (const file of plannedFiles(layout)) {
    const expected = manifest?.files.find(({ name }) => name === file.name)?.sha256;
    const { sha256, size } = await hashFile(await target.open(file.name), file, context);
    if (sha256 !== expected)
      throw targetNotEmpty(target.label, file.name, ', which was changed after this export was finished');
    bytes += size;
    context.onBytes(file.name, size);
  }
  return { files: names.length, bytes };
}
