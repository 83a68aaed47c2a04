import { expect } from 'vitest';
import { type ClientKind, type EventView, idOf, stateOf } from './clients/client.ts';
import type { Delivery, TestHook } from './hooks.ts';

export interface Expected {
  readonly id: string;
  /** The whole text of the artifact in the end. */
  readonly artifact: string;
  /** The chunks since the hook was registered. */
  readonly chunks: readonly string[];
}

/**
 * Waits until a hook hears that the task is completed, and looks at everything it got: in the client's own dialect, in
 * order, with the token and the credentials that it gave.
 */
export async function checkDeliveries(kind: ClientKind, hook: TestHook, expected: Expected): Promise<void> {
  const eventOf = ({ body }: Delivery): EventView => kind.delivery(body);
  await hook.until((delivery) => stateOf(eventOf(delivery)) === 'completed');
  const events = hook.deliveries.map(eventOf);
  for (const event of events) expect(idOf(event)).toBe(expected.id);
  expect(events.map(stateOf).indexOf('completed')).toBe(events.length - 1);
  if (kind.webhook !== '1.0') {
    expect(events.every((event) => event.kind === 'task')).toBe(true);
    expect(events.at(-1)).toMatchObject({ task: { artifacts: [expected.artifact] } });
  } else {
    const chunks = events.flatMap((event) => (event.kind === 'artifact' ? [event.text] : []));
    expect(chunks).toEqual(expected.chunks);
  }
  for (const { headers } of hook.deliveries) {
    expect(headers['x-a2a-notification-token']).toBe(hook.token);
    expect(headers.authorization).toBe(`Bearer ${hook.credentials}`);
    expect(headers['content-type']).toMatch(kind.webhook === '1.0' ? /^application\/a2a\+json/ : /^application\/json/);
  }
}
