import type { Principal } from '../auth/principal.ts';
import type { Events } from '../events/events.ts';
import type { Cards } from '../registry/cards/cards.ts';
import type { FlyteStanding } from '../registry/flyte/preview.ts';
import type { Registry } from '../registry/registry.ts';
import type { Tasks } from '../tasks/tasks.ts';
import type { Loaders } from './loaders.ts';

/** The core that resolvers call. */
export interface Core {
  readonly registry: Registry;
  readonly cards: Cards;
  readonly tasks: Tasks;
  readonly events: Events;
  readonly flyte: FlyteStanding;
}

/** What a resolver gets with each operation. */
export interface GraphQLContext {
  readonly principal: Principal;
  /** The principal as a key: whatever is shared between callers is keyed by it. */
  readonly principalKey: string;
  /** Incoming headers in lower case: the gateway forwards an allow-list of them to other subgraphs. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly requestId: string;
  readonly core: Core;
  readonly loaders: Loaders;
}
