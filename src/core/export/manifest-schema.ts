import * as z from 'zod/mini';
import { modelIdentitySchema, sha256Schema, wholeNumberSchema } from '../base/versioned-file.ts';

export const MANIFEST_FORMAT = 'reap-studio/manifest';
export const MANIFEST_VERSION = 2;

const fileSchema = z.strictObject({ name: z.string(), size: wholeNumberSchema, sha256: sha256Schema });

const tensorSchema = z.strictObject({
  name: z.string(),
  file: z.string(),
  dtype: z.string(),
  shape: z.array(wholeNumberSchema),
  /** Of the tensor's bytes, which are the bytes of the source ranges in their order: one hash for both. */
  sha256: sha256Schema,
  source: z.strictObject({
    name: z.string(),
    file: z.string(),
    /** [absolute offset, length in bytes] in that file. */
    ranges: z.array(z.tuple([wholeNumberSchema, wholeNumberSchema])),
  }),
});

const common = {
  format: z.literal(MANIFEST_FORMAT),
  tool: z.strictObject({ name: z.string(), version: z.string() }),
  /** The unpruned model, as the plan names it. */
  model: modelIdentitySchema,
  planHash: sha256Schema,
  /** Every file of the export but the manifest. */
  files: z.array(fileSchema),
  /** Every tensor, in the order of the shards and of the bytes in them. */
  tensors: z.array(tensorSchema),
};

const sourceSchema = z.strictObject({
  /** The hub's repository and its pinned commit, where the source was opened there. */
  hub: z.nullable(z.strictObject({ repo: z.string(), commit: z.string() })),
  /** Every file that was read, with the sha256 of the whole file where the place it comes from publishes one. */
  files: z.array(z.strictObject({ name: z.string(), size: wholeNumberSchema, published: z.nullable(sha256Schema) })),
});

/** What the first version of the manifest held; folders that it describes still verify. */
export const manifestV1Schema = z.strictObject({ ...common, version: z.literal(1) });

export const manifestV2Schema = z.strictObject({
  ...common,
  version: z.literal(MANIFEST_VERSION),
  /** Largest size of a shard in bytes that was asked for; null: the source's own split. */
  shardBytes: z.nullable(wholeNumberSchema),
  source: sourceSchema,
});

/** What an exported folder holds, down to the source bytes of every tensor. The content of MANIFEST_FILE. */
export type ExportManifest = z.infer<typeof manifestV1Schema> | z.infer<typeof manifestV2Schema>;
export type ManifestTensor = ExportManifest['tensors'][number];
export type ManifestSource = z.infer<typeof sourceSchema>;

/** The manifest as it is written now. */
export type CurrentManifest = z.infer<typeof manifestV2Schema>;
