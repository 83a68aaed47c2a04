/**
 * Golden vectors: the exact shapes of the published versions beside the model they mean. They are written from the
 * specifications, never from the translators' output.
 */
import type { WriteOptions } from '../../../../src/protocol/a2a/dialects/dialect.ts';
import type { Operation, UnaryOperation } from '../../../../src/protocol/a2a/requests.ts';

interface Common {
  readonly name: string;
  /** `read` or `write` where the other direction differs by rule. */
  readonly only?: 'read' | 'write';
  readonly wire: unknown;
  readonly model: unknown;
  readonly options?: WriteOptions;
}
export type Golden = Common &
  (
    | { readonly as: 'request'; readonly operation: Operation }
    | { readonly as: 'result'; readonly operation: UnaryOperation }
    | {
        readonly as: 'event';
        readonly operation: 'SendStreamingMessage' | 'SubscribeToTask';
        readonly final?: boolean;
      }
  );
