import type { Golden } from './golden.ts';
import { v1Answers } from './v1-answers.ts';
import { v1Requests } from './v1-requests.ts';

export const v1: readonly Golden[] = [...v1Requests, ...v1Answers];
