import type { Architecture } from '../core/architectures/descriptor.ts';
import { parseDescriptor } from '../core/architectures/descriptor-file.ts';
import { readTextFile } from './text-files.ts';

/** Option of every command that opens a model: a descriptor in place of the registry's row. */
export const DESCRIPTOR_OPTION = { descriptor: { type: 'string' } } as const;

/** The descriptor of `--descriptor FILE`, or undefined without it. @throws StudioError as `parseDescriptor` and `readTextFile`. */
export async function readDescriptor(path: string | undefined): Promise<Architecture | undefined> {
  return path === undefined ? undefined : parseDescriptor(await readTextFile(path));
}
