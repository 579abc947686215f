import type * as z from 'zod/mini';

/** The first problem of a failed check, to continue "it": where it is, and what should be there. */
export function issueWords({ issues }: z.core.$ZodError): string {
  const [issue] = issues;
  const path = issue?.path.map(String).join('.') ?? '';
  const place = path === '' ? 'at its top level' : `at ${path.slice(0, 120)}`;
  return `is not as it should be ${place} (${issue?.message ?? 'unknown'})`;
}
