/** What wrote an export, for its manifest. The version is package.json's; a test holds them together. */
export const TOOL = { name: 'reap-studio', version: '0.1.0' } as const;
