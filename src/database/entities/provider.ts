import { defineEntity, p } from '@mikro-orm/core';
import { moment, sortedText } from './columns.ts';

/** The organisation behind agents. Name and url together identify it, whatever the case of its ASCII letters. */
export const ProviderEntity = defineEntity({
  name: 'Provider',
  tableName: 'provider',
  indexes: [{ name: 'provider_name_idx', expression: `create index "provider_name_idx" on "provider" ("name", "id")` }],
  uniques: [
    {
      name: 'provider_identity_key',
      expression: `create unique index "provider_identity_key" on "provider" (lower("name"), coalesce("url", ''))`,
    },
  ],
  properties: {
    id: p.uuid().primary(),
    name: sortedText(),
    url: p.text().nullable(),
    owner: p.uuid(),
    revision: p.integer().version().default(1),
    createdAt: moment(),
    updatedAt: moment(),
  },
});
