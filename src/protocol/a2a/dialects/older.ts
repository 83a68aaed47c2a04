import { invalid } from '../../../errors.ts';
import { type Codec, list, optional, required, struct } from '../codec.ts';
import type { PushAuthentication, PushConfig } from '../model.ts';
import { id, idOrAbsent, nonEmpty, text, textOrAbsent } from '../scalars.ts';

/** What the dialects before 1.0 have in common. */

interface Schemes {
  readonly schemes: readonly string[];
  readonly credentials?: string;
}
const schemesOf = (snake: boolean) =>
  struct<Schemes>({ schemes: required(list(text), { mend: () => [] }), credentials: optional(text) }, { snake });

/** `{schemes[], credentials}`: a list of schemes, of which 1.0 knows one. The first counts. */
const authenticationOf = (snake: boolean): Codec<PushAuthentication> => {
  const schemes = schemesOf(snake);
  return {
    read(value, path, source) {
      const { schemes: names, ...rest } = schemes.read(value, path, source);
      const scheme = names.find((name) => name !== '');
      if (scheme !== undefined) return { ...rest, scheme };
      if (rest.credentials !== undefined && source.strict) {
        throw invalid(`${path}.schemes`, 'needs a scheme for the credentials, such as Bearer.');
      }
      // struct takes an undefined member for an absent one: no scheme and no credentials is no authentication.
      return undefined as unknown as PushAuthentication;
    },
    write({ scheme, ...rest }, target) {
      return schemes.write({ ...rest, schemes: [scheme] }, target);
    },
  };
};

/** The inner config: what the receiver is, without the task. The early era has one per task, and no ids for them. */
export const innerPushConfig = ({ ids, proto = false }: { ids: boolean; proto?: boolean }): Codec<PushConfig> =>
  struct<PushConfig>(
    {
      tenant: null,
      id: ids ? optional(idOrAbsent) : null,
      taskId: null,
      url: required(nonEmpty),
      token: optional(textOrAbsent),
      authentication: optional(authenticationOf(proto)),
    },
    { snake: proto, extras: !proto },
  );

interface Nested {
  readonly taskId: string;
  readonly config: PushConfig;
}

/** `{<task>, pushNotificationConfig: {…}}`, where `task` is the name of the member that holds the task's id. */
export function nestedPushConfig<T extends PushConfig>(task: 'taskId' | 'id', ids: boolean): Codec<T> {
  const nested = struct<Nested>(
    {
      taskId: required(id, { wire: task }),
      config: required(innerPushConfig({ ids }), { wire: 'pushNotificationConfig' }),
    },
    { extras: false },
  );
  return {
    read(value, path, source) {
      const { taskId, config } = nested.read(value, path, source);
      return { ...config, taskId } as unknown as T;
    },
    write({ taskId = '', ...config }, target) {
      return nested.write({ taskId: target.taskId ?? taskId, config: config as unknown as PushConfig }, target);
    },
  };
}
