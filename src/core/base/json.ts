/** Parsed JSON that nobody writes to. */
export type Json = null | boolean | number | string | readonly Json[] | ReadonlyJsonObject;
export interface ReadonlyJsonObject {
  readonly [key: string]: Json;
}

export function isJsonObject(value: unknown): value is ReadonlyJsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
