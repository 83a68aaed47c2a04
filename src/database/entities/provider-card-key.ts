import { defineEntity, p } from '@mikro-orm/core';
import { moment } from './columns.ts';
import { ProviderEntity } from './provider.ts';

/** A public key that a provider signs its agent cards with, pinned by whoever owns the provider here. */
export const ProviderCardKeyEntity = defineEntity({
  name: 'ProviderCardKey',
  tableName: 'provider_card_key',
  properties: {
    provider: () =>
      p.manyToOne(ProviderEntity).fieldName('provider').mapToPk().deleteRule('cascade').index(false).primary(),
    kid: p.text().primary(),
    jwk: p.json<unknown>().columnType('jsonb'),
    createdAt: moment(),
  },
});
