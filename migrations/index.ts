import type { Constructor } from '@mikro-orm/core';
import type { Migration } from '@mikro-orm/migrations';
import { RegistryAndTasks } from './0001-registry-and-tasks.ts';

/** Every migration, oldest first. They only go forward, and run on PostgreSQL and PGlite alike. */
export const MIGRATIONS: { readonly name: string; readonly class: Constructor<Migration> }[] = [
  { name: '0001-registry-and-tasks', class: RegistryAndTasks },
];
