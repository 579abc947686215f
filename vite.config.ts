import react from '@vitejs/plugin-react';
import { defaultClientConditions, type Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { ISOLATION_HEADERS, META_CONTENT_SECURITY_POLICY, PRODUCTION_HEADERS } from './tools/response-headers.mjs';

/** States the policy in the built page, for hosts that set no headers. Not in dev: it would block the refresh preamble of React. */
const policyInPage: Plugin = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: META_CONTENT_SECURITY_POLICY },
      injectTo: 'head-prepend',
    },
  ],
};

export default defineConfig({
  plugins: [react(), policyInPage],
  // onnxruntime-web starts its threads from its own .mjs only under this condition. Without it, they are started from the
  // chunk that it was bundled into, and the worker's own code runs again in each thread.
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  build: { target: 'esnext', reportCompressedSize: false, chunkSizeWarningLimit: 1000 },
  server: { headers: ISOLATION_HEADERS },
  preview: { headers: PRODUCTION_HEADERS },
  test: {
    environment: 'node',
    include: ['{src,workers,tools}/**/*.test.{ts,tsx}'],
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    silent: 'passed-only',
  },
});
