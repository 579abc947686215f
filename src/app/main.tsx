import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../ui/tokens.css';
import '../ui/base.css';
import { App } from './App.tsx';
import { guardLeaving } from './leave-guard.ts';
import { followTheme } from './theme.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element #root.');

followTheme();
guardLeaving();

// Refusals are final until the person does something: nothing is tried again by itself.
const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: Number.POSITIVE_INFINITY, networkMode: 'always', refetchOnWindowFocus: false },
  },
});

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
