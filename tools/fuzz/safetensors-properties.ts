import { StudioError } from '../../src/core/base/errors.ts';
import { sizeInBytes } from '../../src/core/safetensors/dtype.ts';
import { parseHeader, type SafetensorsHeader } from '../../src/core/safetensors/header.ts';
import { problemOf } from './simple-checker.ts';

/** The header, or null for a file that is refused as it should be. @throws what is neither. */
export function headerOrRefusal(bytes: Uint8Array): SafetensorsHeader | null {
  try {
    return parseHeader(bytes, bytes.byteLength, 'fuzzed.safetensors');
  } catch (error) {
    if (
      error instanceof StudioError &&
      error.family === 'safetensors' &&
      error.details['file'] === 'fuzzed.safetensors'
    ) {
      return null;
    }
    throw error;
  }
}

/**
 * What an accepted file must be, said without the reader: JSON that an ordinary parser takes, tensors that cover the file
 * after the header one after another, each as long as its dtype and shape say.
 * @throws Error that says what is wrong.
 */
export function checkAccepted(bytes: Uint8Array, header: SafetensorsHeader): void {
  const json: unknown = JSON.parse(
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, header.dataOffset)),
  );
  if (typeof json !== 'object' || json === null) throw new Error('the header is no object');
  const keys = new Set(Object.keys(json));
  keys.delete('__metadata__');
  if (keys.size !== header.tensors.length) throw new Error(`${keys.size} names but ${header.tensors.length} tensors`);
  let position = header.dataOffset;
  for (const { name, dtype, shape, begin, end } of header.tensors) {
    if (!keys.has(name)) throw new Error(`no tensor was called ${JSON.stringify(name)}`);
    if (header.dataOffset + begin !== position)
      throw new Error(`${JSON.stringify(name)} does not follow the one before`);
    if (sizeInBytes(dtype, shape) !== end - begin) throw new Error(`${JSON.stringify(name)} has another size`);
    position = header.dataOffset + end;
  }
  if (position !== bytes.byteLength) throw new Error(`the tensors end at ${position} of ${bytes.byteLength} bytes`);
}

/**
 * Reads a file with the studio's reader and with the simple checker.
 * @returns Whether both accept it.
 * @throws Error when they disagree, or when what was accepted is not what it says.
 */
export function sameVerdict(bytes: Uint8Array): boolean {
  const header = headerOrRefusal(bytes);
  const problem = problemOf(bytes);
  if ((header === null) === (problem === undefined)) {
    throw new Error(
      `the reader ${header === null ? 'refuses' : 'accepts'} it, a second reading says: ${problem ?? 'valid'}`,
    );
  }
  if (header !== null) checkAccepted(bytes, header);
  return header !== null;
}
