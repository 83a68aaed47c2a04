import { defineEntity, p } from '@mikro-orm/core';
import { moment, sortedText, textList } from './columns.ts';
import { ProviderEntity } from './provider.ts';

const live = `where "deleted_at" is null`;
const index = (name: string, on: string) => ({ name, expression: `create index "${name}" on "agent" ${on} ${live}` });

/**
 * Something that does work on request. The last four columns are derived from the row and its skills for searching
 * (registry/search-index.ts keeps them); usage lives in agent_usage, so that traffic never touches this row.
 */
export const AgentEntity = defineEntity({
  name: 'Agent',
  tableName: 'agent',
  indexes: [
    index('agent_name_idx', '("name", "id")'),
    index('agent_updated_at_idx', '("updated_at", "id")'),
    index('agent_live_id_idx', '("id")'),
    index('agent_provider_idx', '("provider", "id")'),
    index('agent_owner_idx', '("owner", "id")'),
    index('agent_status_idx', '("status", "id")'),
    index('agent_execution_type_idx', '("execution_type", "id")'),
    index('agent_search_idx', 'using gin ("search")'),
    index('agent_skill_keys_idx', 'using gin ("skill_keys")'),
    index('agent_skill_tags_idx', 'using gin ("skill_tags")'),
    index('agent_capabilities_idx', 'using gin ("capabilities")'),
    index('agent_modes_idx', 'using gin ("modes")'),
  ],
  uniques: [
    { name: 'agent_handle_key', expression: `create unique index "agent_handle_key" on "agent" ("handle") ${live}` },
    {
      name: 'agent_flyte_name_key',
      expression: `create unique index "agent_flyte_name_key" on "agent" ("flyte_name") ${live}`,
    },
  ],
  properties: {
    id: p.uuid().primary(),
    handle: sortedText(),
    name: sortedText(),
    description: p.text().default(''),
    version: p.text().default(''),
    type: p.text(),
    executionType: p.text(),
    status: p.text().default('active'),
    inputModes: textList(),
    outputModes: textList(),
    capabilities: textList(),
    url: p.text().nullable(),
    interfaces: p.json<unknown>().columnType('jsonb').defaultRaw(`'[]'`),
    documentationUrl: p.text().nullable(),
    iconUrl: p.text().nullable(),
    extensions: p.json<unknown>().columnType('jsonb').defaultRaw(`'[]'`),
    provider: () =>
      p.manyToOne(ProviderEntity).fieldName('provider').nullable().mapToPk().deleteRule('restrict').index(false),
    authenticationType: p.text().default('none'),
    authenticationConfig: p.text().nullable(),
    streaming: p.boolean().default(false),
    pushNotifications: p.boolean().default(false),
    stateTransitionHistory: p.boolean().default(false),
    retrySafe: p.boolean().default(false),
    flyteName: p.text().nullable(),
    isSync: p.boolean().default(false),
    owner: p.uuid(),
    visibility: p.text().default('internal'),
    revision: p.integer().version().default(1),
    createdAt: moment(),
    updatedAt: moment(),
    deletedAt: moment().nullable(),
    skillKeys: textList(),
    skillTags: textList(),
    modes: textList(),
    search: p.text().columnType('tsvector').nullable().lazy(),
  },
});
