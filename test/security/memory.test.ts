import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LONG } from '../support/soon.ts';
import { startTarget, type Target } from './support/fuzz/target.ts';

/** Operations of which no two are the same: what the server keeps of each must have a bound. */

const MIB = 1024 * 1024;

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target?.close());

async function send(query: string): Promise<void> {
  const response = await fetch(`${target.url}graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${target.token}` },
    body: JSON.stringify({ query }),
  });
  expect(await response.json()).toHaveProperty('data');
}

const small = (): string =>
  `mutation { deleteAgent(input: { id: "${randomUUID()}" }) { id name handle skills { key name } provider { id name } } }`;

test('operations that nobody sends again are not kept', LONG, async () => {
  for (let i = 0; i < 1_200; i++) await send(small());
  const full = await target.heap();
  for (let i = 0; i < 1_800; i++) await send(small());
  expect((await target.heap()) - full).toBeLessThan(15 * MIB);
});

const FIELDS = 'id name description handle version type status owner visibility url createdAt updatedAt revision';

/** Of each of these, once it is compiled, two megabytes stay for as long as it is kept. */
const large = (): string => {
  const places = Array.from({ length: 140 }, (_, n) => `a${n}: agent(handle: "none") { ${FIELDS} }`);
  return `query Q${randomUUID().slice(0, 8)} { ${places.join(' ')} }`;
};

test('of operations that take much memory few are kept', LONG, async () => {
  await send(large());
  const before = await target.heap();
  for (let i = 0; i < 40; i++) await send(large());
  expect((await target.heap()) - before).toBeLessThan(50 * MIB);
});
