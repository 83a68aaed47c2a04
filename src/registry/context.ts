import type { Logger } from 'pino';
import type { Database } from '../database/database.ts';
import type { SecretBox } from '../database/secret-box.ts';
import type { Events } from '../events/events.ts';
import type { Egress } from '../upstream/egress.ts';

/** What the parts of the registry stand on. */
export interface RegistryContext {
  readonly database: Database;
  readonly events: Events;
  readonly secrets: SecretBox;
  /** The door for user-supplied URLs: card fetches, and the check of endpoints before they are stored. */
  readonly egress: Egress;
  readonly log: Logger;
}
