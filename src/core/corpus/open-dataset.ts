import { isStudioError } from '../base/errors.ts';
import type { HttpAccess } from '../bytes/http-access.ts';
import type { HubRepo, OpenedHub } from '../hub/hub-repo.ts';
import { resolveHub } from '../hub/open-hub.ts';
import { chooseFiles, convertedFiles, type DatasetPart, type DatasetTable, ownFiles } from './dataset-files.ts';
import type { DatasetSpec } from './dataset-spec.ts';

/** Where the hub keeps its own parquet files of a data set. */
const CONVERTED_REVISION = 'refs/convert/parquet';

/** The hub that data sets are looked up on. */
export interface DatasetHub {
  readonly endpoint: string;
  readonly token?: string;
}

/** Files of one split of a data set, pinned to a commit. */
export interface OpenedDataset extends DatasetPart {
  /** `org/name[subset](split)`, whole even where less was written: what the domain is called. */
  readonly name: string;
  readonly hub: HubRepo;
}

function opened({ hub, files }: OpenedHub, table: DatasetTable | undefined, spec: DatasetSpec): OpenedDataset {
  const part = chooseFiles(table ?? ownFiles(files), spec);
  return { name: `${hub.repo}[${part.subset}](${part.split})`, hub, ...part };
}

/**
 * Finds the files of a data set: those that the hub converted to parquet, or where there are none, or a revision is named,
 * those that its owner put there. No file is read.
 *
 * @throws StudioError as resolveHub and chooseFiles
 */
export async function resolveDataset(
  spec: DatasetSpec,
  { endpoint, token }: DatasetHub,
  access: HttpAccess,
  signal?: AbortSignal,
): Promise<OpenedDataset> {
  const query = { kind: 'dataset', repo: spec.repo, endpoint, ...(token === undefined ? {} : { token }) } as const;
  if (spec.revision === undefined) {
    const converted = await resolveHub({ ...query, revision: CONVERTED_REVISION }, access, signal).catch(
      (error: unknown) => {
        if (isStudioError(error, 'source') && error.code === 'revision-not-found') return undefined;
        throw error;
      },
    );
    const table = converted === undefined ? undefined : convertedFiles(converted.files);
    if (converted !== undefined && table !== undefined) return opened(converted, table, spec);
  }
  const own = await resolveHub(
    { ...query, ...(spec.revision === undefined ? {} : { revision: spec.revision }) },
    access,
    signal,
  );
  // The revision may be a commit of the hub's own conversion.
  return opened(own, convertedFiles(own.files), spec);
}

/** Where the text comes from, for people and for the record: repository, commit, subset and split. */
export function datasetLabel(
  folder: { readonly label: string },
  { subset, split }: Omit<DatasetPart, 'files'>,
): string {
  return `${folder.label}[${subset}](${split})`;
}
