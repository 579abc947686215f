import * as z from 'zod/mini';
import { StudioError } from '../base/errors.ts';
import { modelIdentitySchema, sha256Schema, wholeNumberSchema } from '../base/versioned-file.ts';
import { MANIFEST_FILE } from './export-files.ts';
import type { ExportLayout } from './export-layout.ts';
import { sha256Of } from './sha256.ts';
import { TOOL } from './tool.ts';
import type { FileRecord } from './write-file.ts';

const fileSchema = z.strictObject({ name: z.string(), size: wholeNumberSchema, sha256: sha256Schema });

const tensorSchema = z.strictObject({
  name: z.string(),
  file: z.string(),
  dtype: z.string(),
  shape: z.array(wholeNumberSchema),
  /** Of the tensor's bytes, which are the bytes of the source ranges in their order. */
  sha256: sha256Schema,
  source: z.strictObject({
    name: z.string(),
    file: z.string(),
    /** [absolute offset, length in bytes] in that file. */
    ranges: z.array(z.tuple([wholeNumberSchema, wholeNumberSchema])),
  }),
});

const manifestSchema = z.strictObject({
  format: z.literal('reap-studio/manifest'),
  version: z.literal(1),
  tool: z.strictObject({ name: z.string(), version: z.string() }),
  /** The unpruned model, as the plan names it. */
  model: modelIdentitySchema,
  planHash: sha256Schema,
  /** Every file of the export but the manifest. */
  files: z.array(fileSchema),
  /** Every tensor, in the order of the shards and of the bytes in them. */
  tensors: z.array(tensorSchema),
});

/** What an exported folder holds, down to the source bytes of every tensor. The content of MANIFEST_FILE. */
export type ExportManifest = z.infer<typeof manifestSchema>;

const sealedSchema = z.extend(manifestSchema, { sha256: sha256Schema });

/** The manifest of an export whose files were written as `records` say (one for each file of the layout). */
export function makeManifest(layout: ExportLayout, records: readonly FileRecord[]): ExportManifest {
  const byName = new Map(records.map((record) => [record.name, record]));
  const tensors = layout.shards.flatMap((shard) =>
    shard.tensors.map((tensor) => ({
      name: tensor.name,
      file: shard.name,
      dtype: tensor.dtype,
      shape: [...tensor.shape],
      sha256: byName.get(shard.name)?.tensors.get(tensor.name) ?? '',
      source: {
        name: tensor.sourceName,
        file: tensor.sourceFile,
        ranges: tensor.ranges.map(({ offset, length }): [number, number] => [offset, length]),
      },
    })),
  );
  return {
    format: 'reap-studio/manifest',
    version: 1,
    tool: { ...TOOL },
    model: layout.plan.model,
    planHash: layout.planHash,
    files: records.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
    tensors,
  };
}

function manifestText(manifest: ExportManifest): string {
  const { format, version, tool, model, planHash, files, tensors } = manifest;
  const head = Object.entries({ format, version, tool, model, planHash }).map(
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)},\n`,
  );
  const list = (rows: readonly unknown[]): string => `[${rows.map((row) => `\n${JSON.stringify(row)}`).join(',')}\n]`;
  return `{${head.join('')}"files":${list(files)},\n"tensors":${list(tensors)}`;
}

/**
 * The manifest as text: one file and one tensor a line, and last its own sha256, over everything before it. The same
 * export gives the same text: there is no date in it.
 */
export async function serialiseManifest(manifest: ExportManifest): Promise<string> {
  const text = manifestText(manifest);
  return `${text},\n"sha256":"${await sha256Of(text)}"}\n`;
}

/**
 * Reads a manifest and checks it against its own hash.
 * @throws StudioError family `export` code `bad-manifest`.
 */
export async function parseManifest(text: string): Promise<ExportManifest> {
  const refuse = (why: string, cause?: unknown): StudioError =>
    new StudioError('export', 'bad-manifest', `"${MANIFEST_FILE}" ${why}.`, {
      nextStep: 'The folder was changed after the export or was not written to the end. Export the model again.',
      details: { file: MANIFEST_FILE },
      cause,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refuse('is not JSON, or was cut off', cause);
  }
  const parsed = sealedSchema.safeParse(json);
  if (!parsed.success)
    throw refuse(
      `is not a manifest of this version (at "${parsed.error.issues[0]?.path.join('.') ?? ''}")`,
      parsed.error,
    );
  const { sha256: _, ...manifest } = parsed.data;
  if ((await serialiseManifest(manifest)) !== text) throw refuse('was changed: its own hash does not fit');
  return manifest;
}
