import type { AuditedChange } from '../../registry/audit/write.ts';

/** What of a webhook the audit log shows. */
interface Shown {
  readonly name: string;
  readonly url: string;
  readonly scheme: string | null;
  readonly hasToken: boolean;
  readonly hasCredentials: boolean;
}

const set = (is: boolean): string | null => (is ? '(set)' : null);

/** Of the address only where it leads: many services put their secret into the path. */
const shown = ({ url, scheme, hasToken, hasCredentials }: Shown): object => ({
  origin: URL.canParse(url) ? new URL(url).origin : null,
  scheme,
  token: set(hasToken),
  credentials: set(hasCredentials),
});

export const pushRegistered = (taskId: string, config: Shown): AuditedChange => ({
  operation: 'pushConfig.registered',
  targetType: 'task',
  targetId: taskId,
  changes: [{ field: `pushConfigs.${config.name}`, before: null, after: shown(config) }],
});

export const pushDeleted = (taskId: string, config: Shown): AuditedChange => ({
  operation: 'pushConfig.deleted',
  targetType: 'task',
  targetId: taskId,
  changes: [{ field: `pushConfigs.${config.name}`, before: shown(config), after: null }],
});
