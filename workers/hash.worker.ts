import { serveHashing } from './hash-thread.ts';

serveHashing(self);
