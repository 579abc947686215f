/** Memory that a run holds to where nobody says otherwise, in bytes. */
export const DEFAULT_MEMORY_BUDGET = 2048 * 1024 * 1024;
/** With less, the weights of a large model alone are more. */
export const LEAST_MEMORY_BUDGET = 256 * 1024 * 1024;
