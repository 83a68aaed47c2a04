import { defineEntity, p } from '@mikro-orm/core';
import { AgentEntity } from './agent.ts';
import { moment } from './columns.ts';

/**
 * Where an agent serves Flyte's tasks. Its id goes into Flyte's resource_meta: jobs are polled and deleted where they were
 * created, so it lives as long as they do. `timeouts` is {operation: milliseconds}.
 */
export const FlyteDeploymentEntity = defineEntity({
  name: 'FlyteDeployment',
  tableName: 'flyte_deployment',
  // Its index serves the look-up by agent, too.
  uniques: [{ name: 'flyte_deployment_endpoint_key', properties: ['agent', 'endpoint', 'generation'] }],
  properties: {
    id: p.uuid().primary(),
    agent: () => p.manyToOne(AgentEntity).fieldName('agent').mapToPk().deleteRule('cascade').index(false),
    endpoint: p.text(),
    tls: p.boolean().default(true),
    generation: p.integer().default(1),
    weight: p.integer().default(1),
    draining: p.boolean().default(false),
    timeouts: p.json<unknown>().columnType('jsonb').defaultRaw(`'{}'`),
    createdAt: moment(),
    updatedAt: moment(),
  },
});
