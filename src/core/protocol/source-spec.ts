/** Where a checkpoint or text comes from, as data that crosses a worker boundary by structured clone. */

export type SourceSpec =
  | { readonly kind: 'http'; readonly label: string; readonly baseUrl: string; readonly names: readonly string[] }
  | { readonly kind: 'files'; readonly label: string; readonly files: readonly File[] };

/**
 * One piece of text: a bundled file by address, a dropped file, or text typed in. Format by the name's ending: .txt, .md,
 * .jsonl, .ndjson; a .json alone in its domain holds ready token ids.
 */
export type TextSpec =
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'file'; readonly file: File }
  | { readonly kind: 'text'; readonly text: string };

export interface DomainSpec {
  readonly name: string;
  readonly texts: readonly TextSpec[];
}
