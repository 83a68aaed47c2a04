import type { Principal } from '../../auth/principal.ts';
import type { Transaction } from '../../database/database.ts';
import { invalid, RollcallError } from '../../errors.ts';
import { type AgentRow, publishAgent } from '../agents/change.ts';
import { isUniqueViolation } from '../agents/conflicts.ts';
import type { RegistryContext } from '../context.ts';
import { check } from '../input/check.ts';
import { refreshSearch } from '../search-index.ts';
import { requireScope } from '../visibility.ts';
import { loadAgents } from './load-agents.ts';
import { loadProviders } from './load-providers.ts';
import { type AgentRecord, type ProviderRecord, RECORD_SCHEMAS, type TransferRecord } from './records.ts';

/** What to do with a record of something that is there already. */
export const ON_CONFLICT = ['fail', 'skip', 'update'] as const;
export type OnConflict = (typeof ON_CONFLICT)[number];

/** Why a record cannot be loaded. `index` counts from 0 in the list given; `field` begins with the record's kind. */
export interface LoadProblem {
  readonly index: number;
  readonly field: string;
  readonly message: string;
}

/** What a load did; with `problems`, nothing. */
export interface LoadResult {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: number;
  /** Handles of agents that ask for credentials and have none here: no file carries them. */
  readonly needCredentials: readonly string[];
  readonly problems: readonly LoadProblem[];
}

export interface LoadOptions {
  readonly onConflict?: OnConflict | null | undefined;
  /** Finds every problem and counts what would be done, and leaves everything as it is. */
  readonly dryRun?: boolean | null | undefined;
}

/** Records of one call: they are one transaction. */
export const MOST_RECORDS = 1_000;
/** Problems that are told of one call. */
const MOST_PROBLEMS = 20;

/** A checked record and its place in the list given. */
export interface Placed<R extends TransferRecord = TransferRecord> {
  readonly index: number;
  readonly record: R;
}

/** What the loaders of each kind work with, and write their findings into. */
export interface Loading {
  readonly context: RegistryContext;
  readonly tx: Transaction;
  readonly principal: Principal;
  readonly onConflict: OnConflict;
  /** Nothing new is written; changes of rows are rolled back. */
  readonly dryRun: boolean;
  readonly counts: Record<'created' | 'updated' | 'unchanged' | 'skipped', number>;
  readonly needCredentials: string[];
  readonly problems: LoadProblem[];
  readonly changed: { readonly row: AgentRow; readonly action: 'registered' | 'updated' }[];
}

/** Ends the transaction of a load that shall leave nothing behind. */
class RolledBack extends Error {}

/**
 * Loads records with the ids, owners and times that they carry, all or none. Whoever may do so may make anything in
 * anyone's name, so it takes the scope admin. Addresses are not checked against EGRESS_ALLOW, as registering does: each
 * call is, and a copy must be loadable where its agents cannot be reached.
 *
 * @returns what was done, or every problem found and nothing done.
 * @throws RollcallError UNAUTHENTICATED, FORBIDDEN, INVALID_INPUT (too many records), ALREADY_EXISTS when somebody else
 *   takes a name at the same moment.
 */
export async function loadRecords(
  context: RegistryContext,
  principal: Principal,
  given: readonly unknown[],
  options: LoadOptions = {},
): Promise<LoadResult> {
  requireScope(principal, 'admin');
  if (given.length > MOST_RECORDS)
    throw invalid('input.records', `${given.length} records; at most ${MOST_RECORDS} can be loaded at once`);
  const loading: Omit<Loading, 'tx'> = {
    context,
    principal,
    onConflict: options.onConflict ?? 'fail',
    dryRun: options.dryRun ?? false,
    counts: { created: 0, updated: 0, unchanged: 0, skipped: 0 },
    needCredentials: [],
    problems: [],
    changed: [],
  };
  const runs = runsWithoutRepeats(checkAll(given, loading.problems), loading);
  if (loading.problems.length === 0) {
    await context.database
      .transaction(async (tx) => {
        for (const run of runs) {
          await loadRun({ ...loading, tx }, run);
          if (loading.problems.length > 0) throw new RolledBack();
        }
        if (loading.dryRun) throw new RolledBack();
      })
      .catch((error: unknown) => {
        if (error instanceof RolledBack) return;
        if (isUniqueViolation(error)) throw TAKEN(error);
        throw error;
      });
  }
  if (loading.problems.length > 0) return { ...NOTHING, problems: loading.problems.slice(0, MOST_PROBLEMS) };
  if (!loading.dryRun) for (const { row, action } of loading.changed) publishAgent(context, row, action);
  return { ...loading.counts, needCredentials: loading.needCredentials, problems: [] };
}

/** What the checks above cannot foresee. */
const TAKEN = (cause: unknown): RollcallError =>
  new RollcallError(
    'ALREADY_EXISTS',
    'input.records: a name or id of these records was taken at the same moment, or two of them exchange their names; load them again, or one after the other',
    { field: 'input.records', cause },
  );

const NOTHING: LoadResult = { created: 0, updated: 0, unchanged: 0, skipped: 0, needCredentials: [], problems: [] };

function checkAll(given: readonly unknown[], problems: LoadProblem[]): Placed[] {
  const placed: Placed[] = [];
  given.forEach((value, index) => {
    try {
      placed.push({ index, record: checkRecord(value) });
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      problems.push({ index, field: error.field ?? '', message: withoutField(error) });
    }
  });
  return placed;
}

const withoutField = (error: RollcallError): string =>
  error.field !== undefined && error.message.startsWith(`${error.field}: `)
    ? error.message.slice(error.field.length + 2)
    : error.message;

/** One record as it stands in a file, checked. @throws RollcallError INVALID_INPUT naming the field. */
export function checkRecord(value: unknown): TransferRecord {
  const kind = (value as { kind?: unknown } | null)?.kind;
  const kinds = Object.keys(RECORD_SCHEMAS);
  if (typeof kind !== 'string' || !Object.hasOwn(RECORD_SCHEMAS, kind))
    throw invalid('kind', `must be ${kinds.map((k) => `"${k}"`).join(' or ')}`);
  return check(RECORD_SCHEMAS[kind as keyof typeof RECORD_SCHEMAS], value, kind);
}

/**
 * Cuts the list where a record stands for something that an earlier one of the same run stands for, so that each run can
 * be compared with the database as a whole, and the second one meets the first as it would in another call.
 */
function runsWithoutRepeats(all: readonly Placed[], loading: Omit<Loading, 'tx'>): Placed[][] {
  const runs: Placed[][] = [[]];
  let seen = new Map<string, number>();
  for (const placed of all) {
    const names = identitiesOf(placed.record);
    const repeated = names.find(({ key }) => seen.has(key));
    if (repeated !== undefined) {
      if (loading.onConflict === 'fail') {
        loading.problems.push({
          index: placed.index,
          field: repeated.field,
          message: `is also in record ${placed.index - seen.get(repeated.key)!} before this one`,
        });
        continue;
      }
      runs.push([]);
      seen = new Map();
    }
    for (const { key } of names) seen.set(key, placed.index);
    runs.at(-1)!.push(placed);
  }
  return runs.filter((run) => run.length > 0);
}

function identitiesOf(record: TransferRecord): { readonly key: string; readonly field: string }[] {
  const { kind } = record;
  const key = (field: string, ...parts: (string | number | null | undefined)[]) =>
    parts[0] == null ? [] : [{ key: JSON.stringify([kind, field, ...parts]), field: `${kind}.${field}` }];
  if (record.kind === 'provider')
    return [...key('id', record.id), ...key('name', record.name.toLowerCase(), record.url)];
  return [
    ...key('id', record.id),
    ...key('handle', record.handle),
    ...key('flyteName', record.flyteName),
    ...record.taskCategories.flatMap((c) => key('taskCategories', c.name, c.version)),
    ...record.skills.flatMap((s) => key('skills', s.id)),
    ...(record.deployments ?? []).flatMap((d) => key('deployments', d.id)),
  ];
}

async function loadRun(loading: Loading, run: readonly Placed[]): Promise<void> {
  await loadProviders(
    loading,
    run.filter((p): p is Placed<ProviderRecord> => p.record.kind === 'provider'),
  );
  const before = loading.changed.length;
  await loadAgents(
    loading,
    run.filter((p): p is Placed<AgentRecord> => p.record.kind === 'agent'),
  );
  const changed = loading.changed.slice(before).map(({ row }) => row.id);
  if (changed.length > 0 && !loading.dryRun) await refreshSearch(loading.tx.query, changed);
}
