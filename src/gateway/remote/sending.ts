import { type DocumentNode, print } from 'graphql';
import type { ExecRequest } from '../engine.ts';
import { forwardedHeaders } from './headers.ts';
import type { RemoteOptions } from './options.ts';

/** A request on its way to a subgraph: what it sends is made once, however many layers look at it or send it again. */
export interface Sending extends ExecRequest {
  readonly body: string;
  /** Headers besides the transport's own. */
  readonly headers: Readonly<Record<string, string>>;
}

export const sendingOf = (request: ExecRequest, options: RemoteOptions): Sending => ({
  ...request,
  body: bodyOf(request),
  headers: forwardedHeaders(options, request.context),
});

/** The same for equal requests of one caller alone: the principal, the forwarded headers, the text and the variables. */
export const keyOf = ({ context, headers, body }: Sending): string =>
  // JSON ends where it ends: no two different pairs of head and body make the same key.
  JSON.stringify([context.principalKey, Object.entries(headers).sort()]) + body;

const printed = new WeakMap<DocumentNode, string>();
const quoted = new WeakMap<DocumentNode, string>();

/** The text of a document, printed once: plans keep their documents. */
export const textOf = (document: DocumentNode): string =>
  once(printed, document, () => document.loc?.source.body ?? print(document));

/** What a subgraph is asked, as it is sent. */
export const payloadOf = (request: ExecRequest) => ({
  query: textOf(request.document),
  variables: request.variables,
  operationName: request.operationName,
});

/** The JSON of {@link payloadOf}. The text of the operation, which is most of it, is escaped once. */
function bodyOf({ document, variables, operationName }: ExecRequest): string {
  const query = once(quoted, document, () => JSON.stringify(textOf(document)));
  const name = operationName === undefined ? '' : `,"operationName":${JSON.stringify(operationName)}`;
  return `{"query":${query},"variables":${JSON.stringify(variables ?? {})}${name}}`;
}

function once(known: WeakMap<DocumentNode, string>, document: DocumentNode, make: () => string): string {
  let text = known.get(document);
  if (text === undefined) {
    text = make();
    known.set(document, text);
  }
  return text;
}
