import type { Architecture } from '../architectures/descriptor.ts';
import { parseDescriptor } from '../architectures/descriptor-file.ts';
import { DESCRIPTOR_FORMAT, DESCRIPTOR_VERSION } from '../architectures/descriptor-schema.ts';

/** A line of a descriptor: one thing that a person can look at and correct. */
export interface DescriptorLine {
  readonly field: string;
  readonly value: unknown;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Numbers, switches and rules are one line each, however they are written. */
function isWhole(field: string, value: Readonly<Record<string, unknown>>): boolean {
  return (
    Object.hasOwn(value, 'fallback') ||
    /(?:ayers|\.width|\.when|\.place|\.part|\.without|\.temperature|\.window)$/.test(field)
  );
}

function lines(field: string, value: unknown): DescriptorLine[] {
  const inside = (name: string): string => (field === '' ? name : `${field}.${name}`);
  if (field === 'mixers' && Array.isArray(value)) return value.flatMap((one, index) => lines(`mixers.${index}`, one));
  if (!isPlainObject(value) || (field !== 'nextTokenLayers' && isWhole(field, value))) return [{ field, value }];
  return Object.entries(value).flatMap(([name, one]) => lines(inside(name), one));
}

/** A descriptor line by line, in its own order. */
export function descriptorLines(architecture: Architecture): DescriptorLine[] {
  return lines('', architecture);
}

/**
 * The descriptor with one line replaced, checked as a descriptor file is.
 * @param value Plain JSON in the line's form.
 * @throws StudioError family `checkpoint`: `invalid-descriptor` when the value does not fit the line.
 */
export function correctLine(architecture: Architecture, field: string, value: unknown): Architecture {
  const copy: unknown = JSON.parse(
    JSON.stringify({ format: DESCRIPTOR_FORMAT, version: DESCRIPTOR_VERSION, ...architecture }),
  );
  const names = field.split('.');
  const last = names.pop() ?? '';
  let at: unknown = copy;
  for (const name of names)
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined;
  if (typeof at !== 'object' || at === null) throw new RangeError(`the descriptor has no line "${field}"`);
  Object.defineProperty(at, last, { value, enumerable: true, configurable: true, writable: true });
  return parseDescriptor(JSON.stringify(copy));
}
