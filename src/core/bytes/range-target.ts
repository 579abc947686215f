import type { StudioError } from '../base/errors.ts';
import { badStatusError } from './http-errors.ts';

/** Where a range is asked for, and with what besides the Range header. */
export interface RangeAddress {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cache?: 'no-store';
  readonly credentials?: 'omit';
}

/** Why a try failed, to be thrown when it was the last. */
export class TryAgain {
  readonly failure: StudioError;
  /** Milliseconds that the server asked to wait. */
  readonly pause: number;
  /** True when the target has another address now, which may be asked without a pause. */
  readonly atOnce: boolean;

  constructor(failure: StudioError, { pause = 0, atOnce = false } = {}) {
    this.failure = failure;
    this.pause = pause;
    this.atOnce = atOnce;
  }
}

/** The address of one file's ranges. It may be another one from request to request, as signed addresses expire. */
export interface RangeTarget {
  /** The file, for messages. */
  readonly name: string;
  /** The next request's address. `answered`, `refused` or `failed` is called with it once the outcome is known. */
  address(signal?: AbortSignal): Promise<RangeAddress>;
  /** An answer of status 200, 206 or 416 came. @throws StudioError when it must not be believed. */
  answered(address: RangeAddress, response: Response): void;
  /** An answer of a status came that stays what it is. @throws StudioError when asking again is of no use. */
  refused(address: RangeAddress, response: Response): TryAgain;
  /** No answer came, or one of a failing server, or the body of one that was begun broke off. */
  failed(address: RangeAddress): void;
}

/** A file under an address that stays. */
export class PlainTarget implements RangeTarget {
  readonly name: string;
  readonly url: string;

  constructor(name: string, url: string) {
    this.name = name;
    this.url = url;
  }

  async address(): Promise<RangeAddress> {
    return { url: this.url };
  }

  answered(): void {}

  refused(_: RangeAddress, response: Response): never {
    throw badStatusError(this.name, this.url, response.status);
  }

  failed(): void {}
}
