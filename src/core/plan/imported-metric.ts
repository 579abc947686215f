/** Metric of a plan whose choice another tool made: it has no scores. */
export const IMPORTED_METRIC = 'imported';
