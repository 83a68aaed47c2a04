import { randomUUID } from 'node:crypto';
import { HIDDEN_WORD } from './world.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** The same question about things that nobody has: other ids, other names. */
export function elsewhere<T>(value: T): T {
  const nobody = new Map<string, string>();
  const text = JSON.stringify(value ?? null)
    .replace(UUID, (id) => {
      if (!nobody.has(id)) nobody.set(id, randomUUID());
      return nobody.get(id)!;
    })
    .replaceAll(HIDDEN_WORD, 'nothing');
  return JSON.parse(text) as T;
}

/** What an answer says, without what differs between any two answers: ids, times, ports of a connection. */
export const essence = (raw: string): string =>
  raw
    .replace(UUID, 'ID')
    .replaceAll(HIDDEN_WORD, 'nothing')
    .replace(/\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT/g, 'DATE')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');
