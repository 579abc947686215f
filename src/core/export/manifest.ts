import * as z from 'zod/mini';
import { StudioError } from '../base/errors.ts';
import { sha256Schema } from '../base/versioned-file.ts';
import type { SourceFolder } from '../bytes/byte-source.ts';
import { MANIFEST_FILE } from './export-files.ts';
import type { ExportLayout } from './export-layout.ts';
import {
  type CurrentManifest,
  type ExportManifest,
  MANIFEST_FORMAT,
  MANIFEST_VERSION,
  type ManifestSource,
  manifestV1Schema,
  manifestV2Schema,
} from './manifest-schema.ts';
import { sha256Of } from './sha256.ts';
import { TOOL } from './tool.ts';
import type { FileRecord } from './write-file.ts';

/** `hf:org/name@commit`: what a folder of a hub is called once its commit is pinned. */
const HUB_LABEL = /^hf:(?<repo>[^@]+)@(?<commit>[0-9a-f]{40})$/;

function sourceOf(folder: SourceFolder, sizes: ReadonlyMap<string, number>): ManifestSource {
  const { repo, commit } = HUB_LABEL.exec(folder.label)?.groups ?? {};
  return {
    hub: repo === undefined || commit === undefined ? null : { repo, commit },
    files: [...sizes].map(([name, size]) => ({ name, size, published: folder.published?.get(name) ?? null })),
  };
}

/** The manifest of an export whose files were written as `records` say (one for each file of the layout). */
export function makeManifest(
  layout: ExportLayout,
  records: readonly FileRecord[],
  source: SourceFolder,
): CurrentManifest {
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
    format: MANIFEST_FORMAT,
    version: MANIFEST_VERSION,
    tool: { ...TOOL },
    model: layout.plan.model,
    planHash: layout.planHash,
    shardBytes: layout.shardBytes ?? null,
    source: sourceOf(source, layout.sourceSizes),
    files: records.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
    tensors,
  };
}

function manifestText(manifest: ExportManifest): string {
  const { format, version, tool, model, planHash, files, tensors } = manifest;
  const list = (rows: readonly unknown[]): string => `[${rows.map((row) => `\n${JSON.stringify(row)}`).join(',')}\n]`;
  const head = {
    format,
    version,
    tool,
    model,
    planHash,
    ...(version === 2 ? { shardBytes: manifest.shardBytes } : {}),
  };
  const parts = Object.entries(head).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  if (version === 2) {
    const { hub, files: read } = manifest.source;
    parts.push(`"source":{"hub":${JSON.stringify(hub)},"files":${list(read)}}`);
  }
  return `{${[...parts, `"files":${list(files)}`, `"tensors":${list(tensors)}`].join(',\n')}`;
}

/**
 * The manifest as text: one file and one tensor a line, and last its own sha256, over everything before it. The same
 * export gives the same text: there is no date in it.
 */
export async function serialiseManifest(manifest: ExportManifest): Promise<string> {
  const text = manifestText(manifest);
  return `${text},\n"sha256":"${await sha256Of(text)}"}\n`;
}

function refuse(why: string, nextStep: string, code: string, cause?: unknown): StudioError {
  return new StudioError('export', code, `"${MANIFEST_FILE}" ${why}.`, {
    nextStep,
    details: { file: MANIFEST_FILE },
    cause,
  });
}

function damaged(why: string, cause?: unknown): StudioError {
  const nextStep = 'The folder was changed after the export or was not written to the end. Export the model again.';
  return refuse(why, nextStep, 'bad-manifest', cause);
}

function versionOf(json: unknown): unknown {
  return typeof json === 'object' && json !== null && 'version' in json ? json.version : undefined;
}

/**
 * Reads a manifest of this version or an older one and checks it against its own hash.
 * @throws StudioError family `export`: `bad-manifest`, `newer-version`.
 */
export async function parseManifest(text: string): Promise<ExportManifest> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged('is not JSON, or was cut off', cause);
  }
  const version = versionOf(json);
  if (typeof version === 'number' && version > MANIFEST_VERSION) {
    throw refuse(
      `has version ${version}; this studio reads up to version ${MANIFEST_VERSION}`,
      'Update the studio, and verify again.',
      'newer-version',
    );
  }
  const seal = { sha256: sha256Schema };
  const parsed =
    version === 1 ? z.extend(manifestV1Schema, seal).safeParse(json) : z.extend(manifestV2Schema, seal).safeParse(json);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    throw damaged(`is not a manifest of the studio${path === '' ? '' : ` (at "${path}")`}`, parsed.error);
  }
  const { sha256: _, ...manifest } = parsed.data;
  if ((await serialiseManifest(manifest)) !== text) throw damaged('was changed: its own hash does not fit');
  return manifest;
}
