import { StudioError } from '../base/errors.ts';
import type { SourceFolder } from '../bytes/byte-source.ts';
import { streamBytes } from './byte-stream.ts';
import { MANIFEST_FILE } from './export-files.ts';
import type { ExportManifest, ManifestSource } from './manifest-schema.ts';
import type { VerifyContext } from './verify-bytes.ts';
import type { ProblemList } from './verify-report.ts';

type SourceFile = ManifestSource['files'][number];

/** Source files of the export whose sha256 was published where they came from. */
export function publishedFiles(manifest: ExportManifest): (SourceFile & { readonly published: string })[] {
  if (manifest.version === 1) return [];
  return manifest.source.files.flatMap((file) =>
    file.published === null ? [] : [{ ...file, published: file.published }],
  );
}

/** What the source's place publishes now is what it published when the model was exported. */
export function checkPublished(source: SourceFolder, manifest: ExportManifest, problems: ProblemList): void {
  for (const { name, published } of publishedFiles(manifest)) {
    const now = source.published?.get(name);
    if (now === undefined || now === published) continue;
    problems.add(
      'published-differs',
      `"${source.label}" publishes another sha256 of "${name}" than when the model was exported.`,
      { file: name },
    );
  }
}

/** The refusal to hash a source of which nothing is published. */
export function nothingPublished(): StudioError {
  return new StudioError(
    'export',
    'no-published-hashes',
    `"${MANIFEST_FILE}" holds no published sha256 of the source: the model was not exported from a hub.`,
    {
      nextStep: 'Verify without --source-hashes: every kept byte is held against the source as well.',
      details: { file: MANIFEST_FILE },
    },
  );
}

/**
 * Reads whole source files and holds them against the sha256 that was published for them when the model was exported.
 * @returns how many files were read.
 */
export async function verifySourceFiles(
  source: SourceFolder,
  manifest: ExportManifest,
  problems: ProblemList,
  { openHasher, signal, onBytes }: VerifyContext,
): Promise<number> {
  let files = 0;
  for (const { name, published } of publishedFiles(manifest)) {
    await problems.attempt(async () => {
      const file = await source.open(name, signal);
      const hasher = await openHasher([]);
      const take = async (chunk: Uint8Array<ArrayBuffer>): Promise<void> => {
        await hasher.update(chunk);
        onBytes(chunk.byteLength);
      };
      await streamBytes(file, take, { signal });
      const { sha256 } = await hasher.digest();
      files++;
      if (sha256 === published) return;
      problems.add(
        'source-not-as-published',
        `The source file "${name}" is not the one that was published: its sha256 differs.`,
        { file: name },
      );
    });
  }
  return files;
}
