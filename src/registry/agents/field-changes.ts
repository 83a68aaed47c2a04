import { sameJson } from '../../protocol/a2a/card/same-json.ts';
import type { FieldChange } from '../model.ts';
import type { AgentRow } from './change.ts';

/** The fields whose changes the history shows. Credentials are told apart, and without their values. */
const FIELDS = [
  'handle',
  'name',
  'description',
  'version',
  'type',
  'executionType',
  'status',
  'inputModes',
  'outputModes',
  'capabilities',
  'url',
  'interfaces',
  'documentationUrl',
  'iconUrl',
  'extensions',
  'provider',
  'authenticationType',
  'streaming',
  'pushNotifications',
  'stateTransitionHistory',
  'retrySafe',
  'flyteName',
  'isSync',
  'visibility',
] as const;

export type Snapshot = Readonly<Record<(typeof FIELDS)[number], unknown>>;

/** The values of an agent's fields at this moment. */
export const snapshot = (agent: AgentRow): Snapshot =>
  Object.fromEntries(
    FIELDS.map((field) => [field, structuredClone((agent as unknown as Record<string, unknown>)[field])]),
  ) as Snapshot;

/** What differs between two snapshots, as JSON: the database keeps the members of an object in an order of its own. */
export const fieldChanges = (before: Snapshot, after: Snapshot): FieldChange[] =>
  FIELDS.filter((field) => !sameJson(before[field], after[field])).map((field) => ({
    field,
    before: before[field],
    after: after[field],
  }));
