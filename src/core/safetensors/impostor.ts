import type { Refuse } from './refusals.ts';

const SNIFFED_BYTES = 64;
const LFS_POINTER = /^version https:\/\/git-lfs/;
const HTML_PAGE = /^\uFEFF?\s*<(?:!doctype|html|\?xml|head)/i;

/**
 * Refuses the two things that downloads leave in place of a file: a Git LFS pointer and a web page.
 * @throws the refusals `lfs-pointer` and `html-page`.
 */
export function refuseImpostor(bytes: Uint8Array, refuse: Refuse): void {
  const start = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, SNIFFED_BYTES));
  if (LFS_POINTER.test(start)) throw refuse('lfs-pointer', 'is a Git LFS pointer: the file itself was not downloaded');
  if (HTML_PAGE.test(start)) throw refuse('html-page', 'is a web page, not the file itself');
}
