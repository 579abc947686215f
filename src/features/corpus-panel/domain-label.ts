const LABELS = new Map([
  ['javascript', 'JavaScript'],
  ['json', 'JSON'],
]);

/** A bundled domain's name as people write it. */
export function domainLabel(name: string): string {
  return LABELS.get(name) ?? name.charAt(0).toUpperCase() + name.slice(1);
}
