import type { Page } from '@playwright/test';

/**
 * Puts `code` in front of the calibration worker's own script, each time that it is loaded or the first time alone. The
 * code runs in the worker: faults of a browser are played there, and the product holds none of it.
 */
export async function injectIntoWorker(page: Page, code: string, { once }: { readonly once: boolean }): Promise<void> {
  let loads = 0;
  await page.route(/\/calibration\.worker-[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    loads += 1;
    const body = once && loads > 1 ? await response.text() : `${code}\n${await response.text()}`;
    await route.fulfill({ response, body });
  });
}

/** Calls `fault()` in the worker after each report for which `when` holds: an expression of `report` and the `layers` reported so far. */
export function afterReports(when: string, fault: string): string {
  return `
    const reportOfOld = MessagePort.prototype.postMessage;
    let layers = 0;
    MessagePort.prototype.postMessage = function (report, ...rest) {
      reportOfOld.call(this, report, ...rest);
      if (report?.type === 'layer') layers += 1;
      if (${when}) (${fault})();
    };`;
}

/**
 * Keeps the newest device in \`newestDevice\`. Subgroups stay off: with them the software adapter's attention is wrong.
 * \`disguised\`: the adapter does not say that it is software.
 */
export function watchDevices({ disguised }: { readonly disguised: boolean }): string {
  const disguise = `
    for (const name of ['architecture', 'device', 'description'])
      Object.defineProperty(GPUAdapterInfo.prototype, name, { get: () => '' });
    Object.defineProperty(GPUAdapterInfo.prototype, 'isFallbackAdapter', { get: () => false });`;
  return `
    var newestDevice;
    ${disguised ? disguise : ''}
    const requestOfOld = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (descriptor) {
      newestDevice = await requestOfOld.call(this, { ...descriptor, requiredFeatures: [] });
      return newestDevice;
    };`;
}

/** Destroys the newest device when it has been given \`submits\` more pieces of work: in the middle of a layer. */
export function destroyAfter(submits: number): string {
  return `() => {
    const doomed = newestDevice;
    const submitOfOld = doomed.queue.submit;
    let left = ${submits};
    doomed.queue.submit = function (commands) {
      submitOfOld.call(this, commands);
      left -= 1;
      if (left === 0) doomed.destroy();
    };
  }`;
}
