/** A file of a hub repository at one commit. */
export interface HubFile {
  /** Path in the repository: a plain name in a model, `folder/name` in a dataset. */
  readonly name: string;
  readonly size: number;
  /** sha256 of the whole file as the hub publishes it, in hex; only files in large-file storage carry one. */
  readonly sha256?: string;
}

export type HubRepoKind = 'model' | 'dataset';

/** A repository of a hub, pinned to one commit when it was opened. */
export interface HubRepo {
  readonly kind: HubRepoKind;
  /** `org/name`. */
  readonly repo: string;
  /** 40 hex digits. */
  readonly commit: string;
  /** Origin and path of the hub, without a slash at its end: `https://huggingface.co` or a mirror. */
  readonly endpoint: string;
  /** Lives in memory only: never in a file, an address, a log or an error. */
  readonly token?: string;
}

/** Which repository to look up on a hub. */
export interface HubQuery {
  /** Left out: a model. */
  readonly kind?: HubRepoKind;
  /** `org/name`. */
  readonly repo: string;
  /** Branch, tag or commit. Left out: the main branch. */
  readonly revision?: string;
  /** As in HubRepo. */
  readonly endpoint: string;
  /** As in HubRepo. */
  readonly token?: string;
}

/** A repository as it was found on a hub: where its files are, and which they are. */
export interface OpenedHub {
  readonly hub: HubRepo;
  readonly files: readonly HubFile[];
}
