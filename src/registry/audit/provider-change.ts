import type { FieldChange, Provider } from '../model.ts';
import type { AuditedChange } from './write.ts';

type Shown = Pick<Provider, 'name' | 'url'>;

/** A change of a provider, for the audit log: without `before` it was made, without `after` it is gone. */
export function providerChange(
  happened: 'registered' | 'updated' | 'deleted',
  id: string,
  before: Shown | undefined,
  after: Shown | undefined,
): AuditedChange {
  const changes = (['name', 'url'] as const)
    .map((field): FieldChange => ({ field, before: before?.[field] ?? null, after: after?.[field] ?? null }))
    .filter((change) => change.before !== change.after);
  return { operation: `provider.${happened}`, targetType: 'provider', targetId: id, changes };
}
