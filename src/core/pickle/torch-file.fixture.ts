import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { MemorySource } from '../bytes/memory-source.ts';

/** A file of torch.save that lies among the fixtures. */
export function fixtureFile(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
}

/** A torch file around a pickle and storages made by hand. */
export function torchFile(pickle: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = {}): MemorySource {
  const files: Record<string, Uint8Array> = { 'archive/data.pkl': pickle };
  for (const [key, bytes] of Object.entries(storages)) files[`archive/data/${key}`] = bytes;
  return new MemorySource('made.pt', zipSync(files, { level: 0 }));
}

export type Piece = number | string | readonly number[];

/** Bytes from opcodes, runs of bytes, and ASCII text. */
export function pickleOf(...pieces: readonly Piece[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    pieces.flatMap((piece) =>
      typeof piece === 'number' ? [piece] : typeof piece === 'string' ? [...new TextEncoder().encode(piece)] : piece,
    ),
  );
}

/** A short text as an instruction. */
export function textOp(text: string): readonly number[] {
  return [0x8c, text.length, ...new TextEncoder().encode(text)];
}

/** A tensor of a storage "0" of doubles, as torch.save writes it; sizes below 256. */
export function tensorOps(
  elements: number,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): readonly number[] {
  const tuple = (values: readonly number[]): number[] => [0x28, ...values.flatMap((value) => [0x4b, value]), 0x74];
  return [
    ...pickleOf('ctorch._utils\n_rebuild_tensor_v2\n'),
    ...[0x28, 0x28, ...textOp('storage'), ...pickleOf('ctorch\nDoubleStorage\n'), ...textOp('0'), ...textOp('cpu')],
    ...[0x4b, elements, 0x74, 0x51, 0x4b, offset, ...tuple(shape), ...tuple(strides), 0x89],
    ...[...pickleOf('ccollections\nOrderedDict\n'), 0x29, 0x52, 0x74, 0x52],
  ];
}
