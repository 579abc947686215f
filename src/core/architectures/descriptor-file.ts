import { StudioError } from '../base/errors.ts';
import { readVersionedFile, type VersionedFileKind } from '../base/versioned-file.ts';
import type { Architecture } from './descriptor.ts';
import { DESCRIPTOR_FORMAT, DESCRIPTOR_VERSION, descriptorSchema } from './descriptor-schema.ts';

/** A descriptor has some ten kilobytes; what is far larger is none. */
const MOST_CHARACTERS = 1_000_000;

const NEXT_STEP = 'Correct the file by hand, or let the inspector write the descriptor of this model anew.';

const KIND: VersionedFileKind = {
  family: 'checkpoint',
  format: DESCRIPTOR_FORMAT,
  version: DESCRIPTOR_VERSION,
  noun: 'descriptor',
  invalidCode: 'invalid-descriptor',
  nextStep: NEXT_STEP,
};

/**
 * Reads a descriptor file: the JSON form of a row of the registry.
 * @throws StudioError family `checkpoint`: `descriptor-too-large`, `not-json`, `wrong-format`, `newer-version`, or
 * `invalid-descriptor` naming the field.
 */
export function parseDescriptor(text: string): Architecture {
  if (text.length > MOST_CHARACTERS) {
    throw new StudioError(
      'checkpoint',
      'descriptor-too-large',
      `This descriptor has ${text.length} characters; none has more than ${MOST_CHARACTERS}.`,
      { nextStep: NEXT_STEP, details: { characters: text.length } },
    );
  }
  const { format, version, ...architecture } = readVersionedFile(text, KIND, descriptorSchema);
  return architecture;
}

/** The JSON text of a descriptor, keys always in the same order. @throws StudioError as `parseDescriptor` does. */
export function serialiseDescriptor(architecture: Architecture): string {
  const text = JSON.stringify({ format: DESCRIPTOR_FORMAT, version: DESCRIPTOR_VERSION, ...architecture });
  const file = readVersionedFile(text, KIND, descriptorSchema);
  return `${JSON.stringify(file, undefined, 2)}\n`;
}
