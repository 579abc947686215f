import { StudioError } from '../base/errors.ts';
import { badStatusError, hostOf } from '../bytes/http-errors.ts';
import type { HubRepoKind } from './hub-repo.ts';

/** What was asked of the hub, for messages. */
export interface Asked {
  readonly kind: HubRepoKind;
  readonly repo: string;
  readonly revision?: string;
  readonly endpoint: string;
  readonly hasToken: boolean;
  /** Left out: the repository itself. */
  readonly file?: string;
}

const noun = (kind: HubRepoKind): string => (kind === 'model' ? 'model' : 'data set');

function refuse(code: string, message: string, nextStep: string, asked: Asked, status?: number): StudioError {
  const { repo, file, endpoint } = asked;
  return new StudioError('source', code, message, {
    nextStep,
    details: {
      repo,
      host: hostOf(endpoint),
      ...(file === undefined ? {} : { file }),
      ...(status === undefined ? {} : { status }),
    },
  });
}

function unauthorisedError(asked: Asked, status: number, hubCode: string | null): StudioError {
  const { kind, repo, endpoint, hasToken } = asked;
  if (hubCode === 'GatedRepo') {
    return refuse(
      'unauthorised',
      hasToken
        ? `The token has no access to "${repo}": its owner lets in those who asked.`
        : `"${repo}" is gated: its owner lets in those who asked, and no token was given.`,
      hasToken
        ? `Ask for access on the page of "${repo}" with the account that the token belongs to, then try again.`
        : `Ask for access on the page of "${repo}", then give a token of that account (HF_TOKEN on the command line).`,
      asked,
      status,
    );
  }
  if (hasToken) {
    return refuse(
      'unauthorised',
      `${hostOf(endpoint)} does not accept the token for "${repo}".`,
      'Check that the token is complete, not expired, and may read this repository.',
      asked,
      status,
    );
  }
  return refuse(
    'unauthorised',
    `${hostOf(endpoint)} has no public ${noun(kind)} "${repo}": the name is misspelt, or the ${noun(kind)} is private.`,
    'Check the name; for a private one give a token that may read it (HF_TOKEN on the command line).',
    asked,
    status,
  );
}

function notFoundError(asked: Asked, status: number, hubCode: string | null): StudioError {
  const { kind, repo, revision, endpoint, file } = asked;
  if (hubCode === 'RevisionNotFound') {
    return refuse(
      'revision-not-found',
      `"${repo}" has no revision "${revision ?? 'main'}"${file === undefined ? '' : ' any more'}.`,
      file === undefined
        ? 'Check the branch, tag or commit after the @, or leave it out for the main branch.'
        : 'Its history was rewritten after it was opened. Open the repository again.',
      asked,
      status,
    );
  }
  if (file !== undefined) {
    return refuse(
      'missing-file',
      `"${repo}" holds no file "${file}" at the commit that was opened.`,
      'Open the repository again.',
      asked,
      status,
    );
  }
  return refuse(
    'not-found',
    `${hostOf(endpoint)} has no ${noun(kind)} "${repo}"${asked.hasToken ? ', or the token may not see it' : ''}.`,
    'Check the spelling of the owner and the name, and whether it is on this hub.',
    asked,
    status,
  );
}

/** The refusal behind an answer of the hub that is neither a success nor passing. */
export function hubStatusError(asked: Asked, response: Response): StudioError {
  const { status, headers } = response;
  const hubCode = headers.get('x-error-code');
  if (status === 401 || status === 403) return unauthorisedError(asked, status, hubCode);
  if (status === 404 || status === 410) return notFoundError(asked, status, hubCode);
  return badStatusError(asked.file ?? asked.repo, asked.endpoint, status);
}

/** What answered is no hub, or one that speaks otherwise. */
export function notAHubError(asked: Asked, problem: string, cause?: unknown): StudioError {
  return new StudioError('source', 'not-a-hub', `${hostOf(asked.endpoint)} ${problem}.`, {
    nextStep: 'Check the endpoint, and whether this network wants a sign-in first; then try again.',
    details: { repo: asked.repo, host: hostOf(asked.endpoint) },
    cause,
  });
}

/** The address that the hub signed for a file is refused by the host it leads to. */
export function signedAddressError(asked: Asked, host: string, status: number): StudioError {
  return refuse(
    'signed-address',
    `${host} refuses the address that ${hostOf(asked.endpoint)} gave for "${asked.file ?? asked.repo}" (status ${status}).`,
    'Check that this machine’s clock is right, then try again.',
    asked,
    status,
  );
}
