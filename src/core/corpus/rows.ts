/** What the values of a column are: text, conversations, nothing in the rows seen, or something that holds no text. */
export type ColumnKind = 'text' | 'messages' | 'none' | 'other';

export interface Row {
  /** From 1, as people count the rows of the file, or its lines. */
  readonly number: number;
  /** Column → value as JSON would carry it. */
  readonly values: ReadonlyMap<string, unknown>;
}

/** A file of rows with named columns. Nothing is read before it is asked for. */
export interface RowTable {
  /** File name, for messages. */
  readonly name: string;
  /** What people call one entry of the file. */
  readonly unit: 'Line' | 'Row';
  /** Column → what it holds, in the file's order; null where only the rows can tell. */
  readonly kinds: ReadonlyMap<string, ColumnKind> | null;
  /** Rows in the file; null where it would have to be read whole to know. */
  readonly rowCount: number | null;
  /** The rows in order. A reader may give further columns than those wanted; stopping early leaves the rest unread. */
  rows(wanted: readonly string[]): AsyncIterable<Row>;
}
