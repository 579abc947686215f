import { StudioError } from '../base/errors.ts';

/** One thing that is wrong with an exported folder. */
export interface VerifyProblem {
  /** Stable, like the codes of StudioError. */
  readonly code: string;
  readonly file: string | null;
  readonly tensor: string | null;
  /** A sentence for a person. */
  readonly message: string;
}

export interface VerifyReport {
  /** Files, tensors and bytes that were read and checked. */
  readonly files: number;
  readonly tensors: number;
  readonly bytes: number;
  /** Whether every byte was also held against the unpruned model. */
  readonly comparedWithSource: boolean;
  /** Source files that were read whole and held against the sha256 published for them. */
  readonly sourceFiles: number;
  /** Source files for which the manifest records a published sha256. */
  readonly publishedFiles: number;
  /** Empty when the folder is exactly what the export wrote. */
  readonly problems: readonly VerifyProblem[];
}

/** Collects problems, so that one look at a folder names all of them. */
export class ProblemList {
  readonly all: VerifyProblem[] = [];

  add(code: string, message: string, where: { readonly file?: string; readonly tensor?: string } = {}): void {
    this.all.push({ code, file: where.file ?? null, tensor: where.tensor ?? null, message });
  }

  /** Runs `check`; a refusal becomes a problem and undefined is returned. Aborts and unknown failures are thrown on. */
  async attempt<T>(check: () => Promise<T> | T): Promise<T | undefined> {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof StudioError)) throw error;
      const { file, tensor } = error.details;
      this.add(error.code, error.message, {
        ...(typeof file === 'string' ? { file } : {}),
        ...(typeof tensor === 'string' ? { tensor } : {}),
      });
      return undefined;
    }
  }
}
