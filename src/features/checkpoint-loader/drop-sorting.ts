export type DropKind = 'checkpoint' | 'text' | 'plan' | 'descriptor';

/** What dropped files are for, by their names. */
export function kindOfDrop(names: readonly string[]): DropKind {
  const only = names.length === 1 ? (names[0] ?? '') : '';
  if (only.endsWith('.plan.json')) return 'plan';
  if (/\.json$/i.test(only) && only !== 'config.json') return 'descriptor';
  const text = names.length > 0 && names.every((name) => /\.(txt|jsonl)$/i.test(name));
  return text ? 'text' : 'checkpoint';
}
