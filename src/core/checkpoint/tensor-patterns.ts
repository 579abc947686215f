/**
 * Patterns of tensor names: `{layer}`, `{step}` and `{expert}` stand for indices, `{a|b}` for one of several spellings,
 * everything else for itself. They become anchored expressions without nested repetition, so no name can make them slow.
 */
const PLACEHOLDER = /\{([^{}]*)\}/g;
const INDEX = '(?:0|[1-9]\\d{0,8})';

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** What may follow a module's name: `.suffix`, and for fused experts `_suffix` as well. */
export type SuffixStyle = 'dotted' | 'dotted-or-underscored';

/** The expression of a pattern; groups `layer`, `step`, `expert` and `suffix`, with indices (flag d). */
export function patternExpression(pattern: string, style: SuffixStyle): RegExp {
  let source = '';
  let at = 0;
  for (const match of pattern.matchAll(PLACEHOLDER)) {
    source += literally(pattern.slice(at, match.index));
    const inner = match[1] ?? '';
    source +=
      inner === 'layer' || inner === 'step' || inner === 'expert'
        ? `(?<${inner}>${INDEX})`
        : `(?:${inner.split('|').map(literally).join('|')})`;
    at = match.index + match[0].length;
  }
  source += literally(pattern.slice(at));
  return new RegExp(`^${source}(?:${style === 'dotted' ? '\\.' : '[._]'}(?<suffix>[A-Za-z_]\\w*))?$`, 'd');
}

/** The name that a pattern gives, in the first of its spellings. */
export function patternName(pattern: string, layer: number, expert = 0, step = 0): string {
  return pattern.replace(PLACEHOLDER, (_, inner: string) => {
    if (inner === 'layer') return String(layer);
    if (inner === 'expert') return String(expert);
    if (inner === 'step') return String(step);
    return inner.split('|')[0] ?? '';
  });
}

/** Whether `name` matches a pattern in which `*` stands for any run of characters; linear in the name's length. */
export function matchesGlob(glob: string, name: string): boolean {
  const pieces = glob.split('*');
  const first = pieces[0] ?? '';
  if (pieces.length === 1) return name === first;
  const last = pieces.at(-1) ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= name.length - last.length;
}
