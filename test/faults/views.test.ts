import { describe, expect, test } from 'vitest';
import { DIALECTS } from '../../src/protocol/a2a/dialects/index.ts';
import type { StreamEvent } from '../../src/protocol/a2a/model.ts';
import { plainV03 } from './views.ts';

const of = { taskId: 't', contextId: 'c' };
const EVENTS: Readonly<Record<string, StreamEvent>> = {
  'an artifact': {
    artifactUpdate: { ...of, artifact: { artifactId: 'a', parts: [{ text: 'x' }] }, append: true, lastChunk: true },
  },
  'a status': { statusUpdate: { ...of, status: { state: 'working' } } },
  // As recovery says that an outcome is unknown.
  'a status with a message': {
    statusUpdate: {
      ...of,
      status: { state: 'failed', message: { messageId: 'm', role: 'agent', parts: [{ text: 'x' }] } },
      metadata: { errorCode: 'OUTCOME_UNKNOWN' },
    },
  },
};

describe('what a 0.3 client writes down', () => {
  test.each(Object.entries(EVENTS))('is the same of a send and of a resubscription: %s', (_, event) => {
    const [sent] = DIALECTS['0.3'].writeStreamEvent('SendStreamingMessage', event);
    const [resubscribed] = DIALECTS['0.3'].writeStreamEvent('SubscribeToTask', event);
    expect(plainV03(resubscribed as object)).toEqual(sent);
  });
});
