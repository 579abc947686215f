/** The parts of a template's syntax tree that matter here; each block is a list of statements. */
interface Statement {
  readonly type: string;
  readonly value?: unknown;
  readonly body?: unknown;
  readonly alternate?: unknown;
  readonly defaultBlock?: unknown;
}

const SILENT = new Set(['Set', 'Macro', 'Comment', 'Break', 'Continue']);

/**
 * True where a loop leaves a turn by `break` or `continue` after that turn may have written something. Jinja keeps what
 * was written; the interpreter drops it, so the text would be another one without a word.
 */
export function leavesLoopAfterWriting(statements: unknown): boolean {
  return visit(statements, false, false);
}

function visit(statements: unknown, inLoop: boolean, writtenBefore: boolean): boolean {
  let written = writtenBefore;
  for (const statement of list(statements)) {
    const { type } = statement;
    if ((type === 'Break' || type === 'Continue') && inLoop && written) return true;
    if (type === 'For') {
      if (visit(statement.body, true, false) || visit(statement.defaultBlock, inLoop, written)) return true;
    } else if (visit(statement.body, inLoop, written) || visit(statement.alternate, inLoop, written)) {
      return true;
    }
    written ||= writes(statement);
  }
  return false;
}

function writes({ type, value, body, alternate, defaultBlock }: Statement): boolean {
  if (SILENT.has(type)) return false;
  if (type === 'StringLiteral') return value !== '';
  if (type !== 'If' && type !== 'For') return true;
  return [body, alternate, defaultBlock].some((block) => list(block).some(writes));
}

function list(statements: unknown): readonly Statement[] {
  return Array.isArray(statements) ? statements.filter(isStatement) : [];
}

function isStatement(value: unknown): value is Statement {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
