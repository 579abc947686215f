import { hostOf } from '../bytes/http-errors.ts';
import { onAbort } from '../bytes/on-abort.ts';
import { type RangeAddress, type RangeTarget, TryAgain } from '../bytes/range-target.ts';
import { changedError } from '../bytes/refusals.ts';
import { authorization, isOnHub } from './hub-endpoint.ts';
import { type Asked, hubStatusError, signedAddressError } from './hub-errors.ts';
import type { HubFile, HubRepo } from './hub-repo.ts';

/** The address of a file at the commit that was opened. It redirects to where the bytes are. */
export function fileAddress({ kind, repo, commit, endpoint }: HubRepo, name: string): string {
  const path = name.split('/').map(encodeURIComponent).join('/');
  return `${endpoint}/${kind === 'dataset' ? 'datasets/' : ''}${repo}/resolve/${commit}/${path}`;
}

/**
 * Where the ranges of one file of a hub are asked for. The first request goes to the file's own address with its range,
 * and is redirected; the signed address that it leads to is kept for the requests after it, which spares a redirect
 * each, and is forgotten when it fails or expires. While a new one is being found the other requests wait for it.
 *
 * The token goes to the hub alone: by the file's own address. A redirect to another host drops it (fetch standard,
 * HTTP-redirect fetch), and requests to signed addresses are made without it.
 */
export class HubTarget implements RangeTarget {
  readonly name: string;
  readonly #hub: HubRepo;
  /** The file's own address. */
  readonly #own: RangeAddress;
  #signed: RangeAddress | undefined;
  /** The file's own address gave the bytes itself, without leading to another host. */
  #isServedByHub = false;
  /** The request that is finding out where the bytes are. */
  #finding: { readonly address: RangeAddress; readonly over: Promise<void>; readonly settle: () => void } | undefined;

  constructor(hub: HubRepo, file: HubFile) {
    this.name = file.name;
    this.#hub = hub;
    this.#own = {
      url: fileAddress(hub, file.name),
      // A browser lets one request at a time write to its cache for one address: the others would wait in line.
      cache: 'no-store',
      credentials: 'omit',
      ...(hub.token === undefined ? {} : { headers: { Authorization: authorization(hub.token) } }),
    };
  }

  async address(signal?: AbortSignal): Promise<RangeAddress> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#signed !== undefined) return this.#signed;
      if (this.#isServedByHub) return this.#own;
      if (this.#finding === undefined) return this.#find();
      await unlessAborted(this.#finding.over, signal);
    }
  }

  answered(address: RangeAddress, response: Response): void {
    const { url, headers } = response;
    const commit = headers.get('x-repo-commit');
    const isFromHub = isOnHub(url, this.#hub.endpoint);
    if (isFromHub) this.#isServedByHub = true;
    else if (this.#isOwn(address) && URL.canParse(url)) {
      this.#signed = { url, cache: 'no-store', credentials: 'omit' };
    }
    this.#settle(address);
    if (isFromHub && commit !== null && commit !== this.#hub.commit) {
      throw changedError(this.name, `the hub sent it from commit ${commit.slice(0, 12)}`);
    }
  }

  refused(address: RangeAddress, response: Response): TryAgain {
    this.failed(address);
    const { kind, repo, endpoint, token, commit } = this.#hub;
    const asked: Asked = { kind, repo, revision: commit, endpoint, hasToken: token !== undefined, file: this.name };
    if (isOnHub(response.url, endpoint)) throw hubStatusError(asked, response);
    // A kept address that is refused has expired: a new one is asked for. A new one that is refused may be good later.
    const failure = signedAddressError(asked, hostOf(response.url), response.status);
    return new TryAgain(failure, { atOnce: !this.#isOwn(address) });
  }

  failed(address: RangeAddress): void {
    if (address === this.#signed) this.#signed = undefined;
    this.#settle(address);
  }

  #isOwn(address: RangeAddress): boolean {
    return address.url === this.#own.url;
  }

  /** Makes the caller's request the one that finds where the bytes are. */
  #find(): RangeAddress {
    const address = { ...this.#own };
    let settle = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      settle = resolve;
    });
    this.#finding = { address, over, settle };
    return address;
  }

  #settle(address: RangeAddress): void {
    if (this.#finding?.address !== address) return;
    this.#finding.settle();
    this.#finding = undefined;
  }
}

/** Waits for `promise`, which never rejects. @throws the signal's reason when it fires first. */
function unlessAborted(promise: Promise<void>, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = onAbort(signal, () => reject(signal?.reason));
    void promise.then(() => {
      leave();
      resolve();
    });
  });
}
