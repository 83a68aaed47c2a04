import { defineEntity, p } from '@mikro-orm/core';
import { moment, textList } from './columns.ts';

/**
 * One line of the audit log: an accepted change, written with it, or the equal refusals of one minute, whose `count`
 * rises. Nothing else is ever updated, and nothing refers to it: it outlives what it tells of.
 */
export const AuditEntryEntity = defineEntity({
  name: 'AuditEntry',
  tableName: 'audit_entry',
  indexes: [
    { name: 'audit_entry_at_idx', expression: `create index "audit_entry_at_idx" on "audit_entry" ("at")` },
    {
      name: 'audit_entry_actor_idx',
      expression: `create index "audit_entry_actor_idx" on "audit_entry" ("actor", "id")`,
    },
    {
      name: 'audit_entry_target_idx',
      expression: `create index "audit_entry_target_idx" on "audit_entry" ("target_id", "id") where "target_id" is not null`,
    },
  ],
  uniques: [
    {
      name: 'audit_entry_denial_key',
      expression: `create unique index "audit_entry_denial_key" on "audit_entry" ("denial") where "denial" is not null`,
    },
  ],
  properties: {
    id: p.uuid().primary(),
    at: moment(),
    actor: p.uuid(),
    scopes: () => textList(),
    /** `allowed` or `denied`. */
    outcome: p.text(),
    operation: p.text(),
    targetType: p.text().nullable(),
    targetId: p.text().nullable(),
    /** The code that a refusal was answered with. */
    code: p.text().nullable(),
    address: p.text().nullable(),
    userAgent: p.text().nullable(),
    requestId: p.text().nullable(),
    /** A list of {field, before, after}, without secrets. */
    changes: p.json<unknown>().columnType('jsonb').defaultRaw(`'[]'`),
    count: p.integer().default(1),
    /** What makes refusals equal; null for a change. */
    denial: p.text().nullable(),
  },
});
