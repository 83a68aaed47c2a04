import { takeJobs } from '../jobs.ts';
import { drip, hold, release } from './jobs/held.ts';
import { send } from './jobs/send.ts';
import { chunks, firstEvent } from './jobs/streams.ts';

const jobs = { send, firstEvent, chunks, hold, drip, release };
export type A2aJobs = typeof jobs;
takeJobs(jobs);
