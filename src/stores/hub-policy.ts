import { isStudioError, StudioError } from '../core/base/errors.ts';

/**
 * What stands behind an endpoint that could not be reached, where that is the policy of this page; else null. To a script
 * a request that the policy stops looks like a broken connection, so one is made that the page itself can watch.
 */
export async function hubPolicyError(error: unknown, endpoint: string): Promise<StudioError | null> {
  if (!isStudioError(error, 'source') || error.code !== 'unreachable') return null;
  const { origin } = new URL(endpoint);
  if (!(await isStopped(origin))) return null;
  return new StudioError('source', 'blocked-by-policy', `This page is not allowed to ask ${origin} for anything.`, {
    nextStep: `Whoever serves the page must allow this hub: start the studio with REAP_STUDIO_HUB=${origin}`,
    details: { endpoint },
    cause: error,
  });
}

async function isStopped(origin: string): Promise<boolean> {
  let stopped = false;
  const note = ({ effectiveDirective, blockedURI }: SecurityPolicyViolationEvent) => {
    if (effectiveDirective === 'connect-src' && blockedURI.startsWith(origin)) stopped = true;
  };
  document.addEventListener('securitypolicyviolation', note);
  try {
    await fetch(origin, { method: 'HEAD', mode: 'no-cors', credentials: 'omit', referrerPolicy: 'no-referrer' });
  } catch {
    // The violation is announced by a task of its own.
    await new Promise((resolve) => setTimeout(resolve));
  } finally {
    document.removeEventListener('securitypolicyviolation', note);
  }
  return stopped;
}
