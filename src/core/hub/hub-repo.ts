/** A file of a hub repository at one commit. */
export interface HubFile {
  readonly name: string;
  readonly size: number;
  /** sha256 of the whole file as the hub publishes it, in hex; only files in large-file storage carry one. */
  readonly sha256?: string;
}

/** A repository of a hub, pinned to one commit when it was opened. */
export interface HubRepo {
  /** `org/name`. */
  readonly repo: string;
  /** 40 hex digits. */
  readonly commit: string;
  /** Origin and path of the hub, without a slash at its end: `https://huggingface.co` or a mirror. */
  readonly endpoint: string;
  /** Lives in memory only: never in a file, an address, a log or an error. */
  readonly token?: string;
}
