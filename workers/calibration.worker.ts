import { expose } from 'comlink';
import { CalibrationService } from './calibration-api.ts';
import { announceLife } from './life-lock.ts';
import { openBackend } from './open-backend.ts';
import { openSource } from './open-source.ts';
import { openRunStore } from './run-store.ts';

expose(new CalibrationService({ openSource, openBackend, openStore: openRunStore }));
announceLife();
