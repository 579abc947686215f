import { expose } from 'comlink';
import { CorpusService } from './corpus-api.ts';
import { openSource } from './open-source.ts';

expose(new CorpusService({ openSource, access: { fetch: (input, init) => fetch(input, init) } }));
