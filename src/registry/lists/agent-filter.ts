import type { Principal } from '../../auth/principal.ts';
import { isUuid } from '../../database/ids.ts';
import type { Values } from '../../database/values.ts';
import { invalid } from '../../errors.ts';
import { fromDisplayType } from '../display-type.ts';
import { storable } from '../input/check.ts';
import { visibleSql } from '../visibility.ts';

/** Which agents: every condition given must hold; a list holds when any of its values does. */
export interface AgentFilter {
  readonly ids?: readonly string[] | null;
  readonly skillKey?: string | null;
  readonly tag?: string | null;
  readonly providerId?: string | null;
  readonly type?: string | null;
  readonly displayType?: string | null;
  readonly status?: readonly string[] | null;
  readonly executionType?: readonly string[] | null;
  readonly visibility?: readonly string[] | null;
  /** A media type that the agent or one of its skills takes or gives. */
  readonly mode?: string | null;
  readonly inputMode?: string | null;
  readonly outputMode?: string | null;
  readonly capability?: string | null;
  readonly owner?: string | null;
  readonly streaming?: boolean | null;
  readonly taskCategory?: string | null;
  readonly hasTaskCategories?: boolean | null;
}

type Condition<V> = (value: V, values: Values) => string;
const has =
  (column: string): Condition<string> =>
  (value, values) =>
    `${column} @> array[${values.add(value)}]::text[]`;
const is =
  (column: string): Condition<string> =>
  (value, values) =>
    `${column} = ${values.add(value)}`;
const oneOf =
  (column: string): Condition<readonly string[]> =>
  (list, values) =>
    `${column} = any(${values.add(list)}::text[])`;
const uuid =
  (field: string, column: string): Condition<string> =>
  (value, values) => {
    if (!isUuid(value)) throw invalid(`filter.${field}`, 'must be a UUID');
    return `${column} = ${values.add(value)}::uuid`;
  };

/** Each filter field as SQL over `a`, with the index that answers it in entities/agent.ts. */
const CONDITIONS: { readonly [F in keyof AgentFilter]-?: Condition<NonNullable<AgentFilter[F]>> } = {
  ids: (ids, values) => {
    if (!ids.every(isUuid)) throw invalid('filter.ids', 'must be UUIDs');
    return `a.id = any(${values.add(ids)}::uuid[])`;
  },
  skillKey: has('a.skill_keys'),
  tag: has('a.skill_tags'),
  providerId: uuid('providerId', 'a.provider'),
  type: is('a.type'),
  displayType: (shown, values) => `a.type = ${values.add(fromDisplayType(shown))}`,
  status: oneOf('a.status'),
  executionType: oneOf('a.execution_type'),
  visibility: oneOf('a.visibility'),
  mode: has('a.modes'),
  // The modes of an agent include these two, and have the index.
  inputMode: (mode, values) => `${has('a.modes')(mode, values)} and ${has('a.input_modes')(mode, values)}`,
  outputMode: (mode, values) => `${has('a.modes')(mode, values)} and ${has('a.output_modes')(mode, values)}`,
  capability: has('a.capabilities'),
  owner: uuid('owner', 'a.owner'),
  streaming: (value) => (value ? 'a.streaming' : 'not a.streaming'),
  taskCategory: (name, values) =>
    `exists (select 1 from task_category c where c.agent = a.id and c.name = ${values.add(name)})`,
  hasTaskCategories: (value) => `${value ? '' : 'not '}exists (select 1 from task_category c where c.agent = a.id)`,
};

/** The conditions of a list of agents, visibility first, as SQL over `a`. */
export function agentConditions(principal: Principal, filter: AgentFilter, values: Values): string[] {
  const conditions = ['a.deleted_at is null', visibleSql(principal, 'a', values)];
  for (const field of Object.keys(CONDITIONS) as (keyof AgentFilter)[]) {
    const value = filter[field];
    if (value === undefined || value === null) continue;
    for (const text of [value].flat()) if (typeof text === 'string') storable(`filter.${field}`, text);
    conditions.push((CONDITIONS[field] as Condition<unknown>)(value, values));
  }
  return conditions;
}
