/** An ordered table of rows with unique ids. Adding a row = one file + one line in the registry's own file. */
export class Registry<Row extends { readonly id: string }> {
  readonly #rows = new Map<string, Row>();

  /** @throws RangeError when two rows share an id. */
  constructor(rows: readonly Row[]) {
    for (const row of rows) {
      if (this.#rows.has(row.id)) throw new RangeError(`two registry rows share the id "${row.id}"`);
      this.#rows.set(row.id, row);
    }
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  all(): readonly Row[] {
    return [...this.#rows.values()];
  }

  ids(): readonly string[] {
    return [...this.#rows.keys()];
  }
}
