import type { TextPreview } from '../corpus/text-preview.ts';
import type { WireResult } from './calibration-protocol.ts';
import type { DomainSpec, HubText, SourceSpec } from './source-spec.ts';

export type { TextPreview };

/** Data sets to look up on a hub. */
export interface DatasetQuery {
  /** `org/name[subset](split):N,…` */
  readonly datasets: string;
  readonly endpoint: string;
  /** As in HubRepo. */
  readonly token?: string;
}

/** A data set as it was found, with the name of the domain that it makes. */
export interface FoundDataset {
  readonly name: string;
  readonly text: HubText;
}

/** What corpus.worker.ts serves. Failures are WireResults. */
export interface CorpusApi {
  /** Finds the files of the data sets. Reads none of them. */
  findDatasets(query: DatasetQuery): Promise<WireResult<readonly FoundDataset[]>>;
  /** Looks into the first file of a domain. `model`: whose chat template conversations will be rendered by. */
  preview(domain: DomainSpec, model: SourceSpec | null): Promise<WireResult<TextPreview>>;
}
