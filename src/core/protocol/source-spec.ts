import type { HubFile, HubRepo } from '../hub/hub-repo.ts';

/** Where a checkpoint or text comes from, as data that crosses a worker boundary by structured clone. */

interface SourceFacts {
  readonly label: string;
  /** Text of a descriptor file that the model is read by, whatever its `model_type`. */
  readonly descriptor?: string;
}

/** A file as it was when the person chose it: with another size or time, it was changed since. */
export interface ChosenFile {
  readonly name: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly lastModified: number;
}

export type SourceSpec =
  | (SourceFacts & { readonly kind: 'http'; readonly baseUrl: string; readonly names: readonly string[] })
  | (SourceFacts & { readonly kind: 'files'; readonly files: readonly File[] })
  | (SourceFacts & {
      readonly kind: 'directory';
      readonly handle: FileSystemDirectoryHandle;
      /** Its files: every worker holds them to it. Left out: each takes them as they are when it opens them. */
      readonly chosen?: readonly ChosenFile[];
    })
  | (SourceFacts & { readonly kind: 'hub'; readonly hub: HubRepo; readonly files: readonly HubFile[] });

/**
 * One piece of text: a bundled file by address, a dropped file, text typed in, or rows of a data set on a hub. Format by the
 * name's ending: .txt, .md, .jsonl, .ndjson, .parquet; a .json alone in its domain holds ready token ids.
 */
export type TextSpec =
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'file'; readonly file: File }
  | { readonly kind: 'text'; readonly text: string }
  | HubText;

/** The first documents of one split of a data set, pinned to a commit. */
export interface HubText {
  readonly kind: 'hub';
  readonly hub: HubRepo;
  readonly files: readonly HubFile[];
  readonly subset: string;
  readonly split: string;
  /** Documents taken, in the order of the files. */
  readonly samples: number;
}

export interface DomainSpec {
  readonly name: string;
  readonly texts: readonly TextSpec[];
  /** "messages", or several columns of one exchange joined by "+"; left out: as detected. */
  readonly column?: string;
}
