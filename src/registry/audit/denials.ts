import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Denial, Principal } from '../../auth/principal.ts';
import type { Query } from '../../database/drivers.ts';
import { newId } from '../../database/ids.ts';
import { kept } from './write.ts';

const MINUTE_MS = 60_000;
const FLUSH_MS = 2_000;
/** Different refusals of one minute that are told apart; further ones are counted together, by code alone. */
const MOST_PER_MINUTE = 500;

interface Waiting {
  readonly principal: Principal;
  readonly denial: Denial;
  readonly minute: number;
  readonly key: string;
  count: number;
  lastRequest: string | undefined;
}

/**
 * What was refused, on its way into the log: equal refusals of one minute are one line with a count, and a minute has a
 * bounded number of lines, so that nobody can flood the log by being refused.
 */
export class Denials {
  readonly #query: Query;
  readonly #log: Logger;
  readonly #now: () => number;
  #waiting = new Map<string, Waiting>();
  #minute = 0;
  readonly #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #flushed: Promise<void> = Promise.resolve();

  constructor(query: Query, log: Logger, now: () => number = Date.now) {
    this.#query = query;
    this.#log = log;
    this.#now = now;
  }

  /** Counts a refusal; several of one request are one. */
  add(principal: Principal, denial: Denial): void {
    const minute = Math.floor(this.#now() / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#told.clear();
    }
    const own = keyOf(minute, principal, denial);
    const apart = this.#told.has(own) || this.#told.size < MOST_PER_MINUTE;
    if (apart) this.#told.add(own);
    const summed: Denial = { code: denial.code, operation: 'many' };
    const nobody: Principal = { ...principal, scopes: new Set(), origin: { address: '', requestId: '', door: 'http' } };
    const key = apart ? own : `${minute} ${denial.code} many`;
    const request = principal.origin?.requestId;
    const known = this.#waiting.get(key);
    if (known === undefined) {
      const line = apart ? { principal, denial } : { principal: nobody, denial: summed };
      this.#waiting.set(key, { ...line, minute, key, count: 1, lastRequest: request });
    } else if (request === undefined || request !== known.lastRequest) {
      known.count++;
      known.lastRequest = request;
    }
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** Writes what waits; never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushed = this.#flushed.then(() => this.#write());
    return this.#flushed;
  }

  async #write(): Promise<void> {
    const lines = [...this.#waiting.values()];
    if (lines.length === 0) return;
    this.#waiting = new Map();
    const rows = lines.map(({ principal, denial, minute, key, count }) => ({
      id: newId(),
      at: new Date(minute * MINUTE_MS),
      actor: principal.subject,
      scopes: [...principal.scopes],
      operation: denial.operation,
      target_type: kept(denial.targetType),
      target_id: kept(denial.targetId),
      code: denial.code,
      address: kept(principal.origin?.address || undefined),
      user_agent: kept(principal.origin?.userAgent),
      request_id: kept(principal.origin?.requestId || undefined),
      count,
      denial: createHash('sha256').update(key).digest('base64url'),
    }));
    try {
      await this.#query(
        `insert into audit_entry as e (id, at, actor, scopes, outcome, operation, target_type, target_id, code, address, user_agent, request_id, count, denial)
         select w.id, w.at, w.actor, array(select jsonb_array_elements_text(w.scopes)), 'denied', w.operation, w.target_type, w.target_id,
           w.code, w.address, w.user_agent, w.request_id, w.count, w.denial
         from jsonb_to_recordset($1::jsonb) as w(id uuid, at timestamptz, actor uuid, scopes jsonb, operation text, target_type text,
           target_id text, code text, address text, user_agent text, request_id text, count int, denial text)
         on conflict (denial) where denial is not null do update set count = e.count + excluded.count`,
        [JSON.stringify(rows)],
      );
    } catch (error) {
      this.#log.error({ err: error, lines: lines.length }, 'refusals could not be written to the audit log');
    }
  }
}

const keyOf = (minute: number, { subject, origin }: Principal, denial: Denial): string =>
  JSON.stringify([
    minute,
    subject,
    denial.code,
    denial.operation,
    denial.targetType ?? null,
    denial.targetId ?? null,
    origin?.address ?? null,
  ]);
