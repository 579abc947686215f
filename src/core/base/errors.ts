/**
 * Every refusal of the studio is a StudioError: what went wrong with which thing, and what the person can do next.
 * One class per part of the studio, one `code` per decision that a caller could take. Codes are stable: tests, the
 * command line's `--json` and translations rely on them.
 */

/** Facts about the failure, fit for JSON: the file, tensor, layer, sizes concerned. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

export interface ErrorOptions {
  /** What the person should do now, as a full sentence. */
  readonly nextStep: string;
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

export type ErrorFamily =
  | 'safetensors'
  | 'source'
  | 'checkpoint'
  | 'corpus'
  | 'backend'
  | 'calibration'
  | 'plan'
  | 'export'
  | 'usage'
  | 'internal';

/** An error with a stable code, the facts, and the next step. `message` is one sentence for a person. */
export class StudioError extends Error {
  readonly family: ErrorFamily;
  readonly code: string;
  readonly nextStep: string;
  readonly details: ErrorDetails;

  constructor(family: ErrorFamily, code: string, message: string, options: ErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StudioError';
    this.family = family;
    this.code = code;
    this.nextStep = options.nextStep;
    this.details = options.details ?? {};
  }
}

/** What crosses a worker boundary instead of an Error instance: structured clone drops custom fields. */
export interface WireError {
  readonly family: ErrorFamily;
  readonly code: string;
  readonly message: string;
  readonly nextStep: string;
  readonly details: ErrorDetails;
}

/** True for a StudioError, optionally of one family. */
export function isStudioError(error: unknown, family?: ErrorFamily): error is StudioError {
  return error instanceof StudioError && (family === undefined || error.family === family);
}

/** Turns anything thrown into its wire form; an unknown failure becomes family `internal` and keeps its message. */
export function toWireError(error: unknown): WireError {
  if (error instanceof StudioError) {
    const { family, code, message, nextStep, details } = error;
    return { family, code, message, nextStep, details };
  }
  return {
    family: 'internal',
    code: 'unexpected',
    message: error instanceof Error ? error.message : String(error),
    nextStep: 'Reload the page and try again. If it happens again, report it with the message above.',
    details: {},
  };
}

/** The inverse of toWireError on the receiving side. */
export function fromWireError(wire: WireError): StudioError {
  return new StudioError(wire.family, wire.code, wire.message, { nextStep: wire.nextStep, details: wire.details });
}
