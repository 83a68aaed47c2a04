import { hash } from 'node:crypto';
import type { JobView } from '../../protocol/flyte/routing-views.ts';
import type { FlyteGeneration } from './methods.ts';

/**
 * Tells a job from all others. Agents choose resource_meta themselves: two of them, or two categories of one, may choose
 * the same, and what is known of one's job must never be taken for the other's.
 */
export function jobKey(generation: FlyteGeneration, { category, resourceMeta }: JobView): string {
  const { name, version } = category;
  // JSON holds no bare NUL: where it ends is certain, whatever follows.
  const owner = Buffer.from(`${JSON.stringify([generation, name, version])}\0`, 'utf8');
  return hash('sha256', Buffer.concat([owner, resourceMeta]), 'base64url');
}
