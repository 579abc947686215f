export type DropKind = 'checkpoint' | 'text' | 'document';

/**
 * What dropped files are for, by their names. A document is one file that is told by its content: a plan, statistics, what
 * another tool left, or a descriptor.
 */
export function kindOfDrop(names: readonly string[]): DropKind {
  const only = names.length === 1 ? (names[0] ?? '') : '';
  if (/\.(json|pt|pth)$/i.test(only) && only !== 'config.json') return 'document';
  const text = names.length > 0 && names.every((name) => /\.(txt|md|jsonl|ndjson|parquet)$/i.test(name));
  return text ? 'text' : 'checkpoint';
}
